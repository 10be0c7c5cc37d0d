"""What Redis does in one step: scripts, which nothing else runs beside.

Keys begin with `diglot:`; `r` is a response, `c` a chain with the keys of its responses by their depth (`d<depth>`),
`s` and `u` are settings and how many responses have them, `v` is a conversation, `i` its items by id, `p` and `q` are
the positions of its items and of its compactions, `m` is a chat completion and `o` their order, `l` is the lease of a
process. `chains`, `conversations` and `completions` list all.

What Redis has dropped, or somebody has deleted, counts as old: it must not keep a sweep from the rest.
"""

_NAMES = """
local function name(kind, tenant, key) return 'diglot:' .. kind .. ':' .. tenant .. ':' .. key end
local function seconds(text) return tonumber(text or 0) or 0 end
local function release(tenant, hash)
  if redis.call('DECR', name('u', tenant, hash)) <= 0 then
    redis.call('DEL', name('u', tenant, hash), name('s', tenant, hash))
  end
end
local function add(tenant, key, first_argument)
  local conversation = name('v', tenant, key)
  local seen = {}
  for i = first_argument, #ARGV, 3 do
    if seen[ARGV[i]] or redis.call('HEXISTS', name('i', tenant, key), ARGV[i]) == 1 then
      return {'duplicate', ARGV[i]}
    end
    seen[ARGV[i]] = true
  end
  local first = tonumber(redis.call('HGET', conversation, 'next'))
  local position = first
  for i = first_argument, #ARGV, 3 do
    redis.call('HSET', name('i', tenant, key), ARGV[i], ARGV[i + 1])
    redis.call('ZADD', name('p', tenant, key), position, ARGV[i])
    if ARGV[i + 2] == '1' then redis.call('ZADD', name('q', tenant, key), position, ARGV[i]) end
    position = position + 1
  end
  redis.call('HSET', conversation, 'next', position)
  return {'ok', first}
end
"""

PUT = (
    _NAMES
    + """
local tenant, key, parent_chain, parent_depth, depth = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local base, size, created, body, hash, settings = ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11]
local expires, day, conversation, fence = ARGV[12], ARGV[13], ARGV[14], ARGV[15]
local record = name('r', tenant, key)
if redis.call('EXISTS', record) == 1 then return {'ok', 0} end
if settings == '' and redis.call('EXISTS', name('s', tenant, hash)) == 0 then return {'settings'} end
local parent = name('c', tenant, parent_chain)
if parent_chain ~= '' and redis.call('EXISTS', parent) == 0 then return {'chain'} end
local position = 0
if conversation ~= '' then
  local found = redis.call('HMGET', name('v', tenant, conversation), 'fence', 'holder')
  if not found[1] then return {'conversation'} end
  if found[1] ~= fence or not found[2] then return {'lock'} end
  local added = add(tenant, conversation, 16)
  if added[1] ~= 'ok' then return added end
  position = added[2]
  redis.call('HDEL', name('v', tenant, conversation), 'holder')
end
local chain = key
if parent_chain ~= '' and redis.call('HSETNX', parent, 'd' .. depth, key) == 1 then
  chain = parent_chain
  if tonumber(redis.call('HGET', parent, 'expires')) < tonumber(expires) - tonumber(day) then
    redis.call('HSET', parent, 'expires', expires)
    redis.call('ZADD', 'diglot:chains', expires, tenant .. ' ' .. chain)
  end
else
  redis.call('HSET', name('c', tenant, key), 'd' .. depth, key, 'expires', expires, 'forks', 0)
  redis.call('ZADD', 'diglot:chains', expires, tenant .. ' ' .. key)
  if parent_chain ~= '' then
    redis.call('HSET', name('c', tenant, key), 'fork_chain', parent_chain, 'fork_depth', parent_depth)
    redis.call('HINCRBY', parent, 'forks', 1)
  end
end
if redis.call('INCR', name('u', tenant, hash)) == 1 then
  redis.call('SET', name('s', tenant, hash), string.sub(settings, 2))
end
redis.call('HSET', record, 'chain', chain, 'depth', depth, 'base', base, 'size', size, 'created', created,
  'body', body, 'settings', hash, 'conversation', conversation, 'position', position)
return {'ok', position}
"""
)

CHAIN = (
    _NAMES
    + """
local tenant, key, limit, now = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local head = redis.call('HMGET', name('r', tenant, key), 'chain', 'depth', 'base', 'size', 'body')
if not head[5] then return {} end
local chain, depth, base, size = head[1], tonumber(head[2]), tonumber(head[3]), tonumber(head[4])
if not (chain and depth and base and size) then
  return {{key, 0, redis.call('HMGET', name('r', tenant, key),
    'chain', 'depth', 'base', 'size', 'created', 'body', 'conversation', 'position')}}
end
local expires = redis.call('HGET', name('c', tenant, chain), 'expires')
if seconds(expires) <= now then return {} end
if size > limit then return {size} end
local found = {}
while depth >= base do
  local about = name('c', tenant, chain)
  local here = redis.call('HGET', about, 'd' .. depth)
  if here then
    found[#found + 1] = {here, expires, redis.call('HMGET', name('r', tenant, here),
      'chain', 'depth', 'base', 'size', 'created', 'body', 'conversation', 'position')}
    depth = depth - 1
  else
    chain = redis.call('HGET', about, 'fork_chain')
    if not chain or redis.call('HEXISTS', name('c', tenant, chain), 'd' .. depth) == 0 then return {} end
  end
end
return found
"""
)

DELETE = (
    _NAMES
    + """
local tenant, key, now = ARGV[1], ARGV[2], tonumber(ARGV[3])
local record = name('r', tenant, key)
local found = redis.call('HMGET', record, 'chain', 'settings', 'body')
if not found[1] or not found[3] then return 0 end
if seconds(redis.call('HGET', name('c', tenant, found[1]), 'expires')) <= now then return 0 end
redis.call('HDEL', record, 'body', 'settings')
release(tenant, found[2])
return 1
"""
)

ADD = (
    _NAMES
    + """
local tenant, key = ARGV[1], ARGV[2]
if redis.call('EXISTS', name('v', tenant, key)) == 0 then return {'conversation'} end
return add(tenant, key, 3)
"""
)

CREATE = (
    _NAMES
    + """
local tenant, key, created, metadata = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local conversation = name('v', tenant, key)
if redis.call('EXISTS', conversation) == 1 then return {'ok', 0} end
redis.call('HSET', conversation, 'created', created, 'metadata', metadata, 'next', 0, 'fence', 0)
local added = add(tenant, key, 5)
if added[1] ~= 'ok' then
  redis.call('DEL', conversation)
  return added
end
redis.call('ZADD', 'diglot:conversations', created, tenant .. ' ' .. key)
return added
"""
)

LOCK = (
    _NAMES
    + """
local tenant, key, process, now = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local conversation = name('v', tenant, key)
local found = redis.call('HMGET', conversation, 'fence', 'holder')
if not found[1] then return {'conversation'} end
if found[2] and tonumber(redis.call('GET', 'diglot:l:' .. found[2]) or 0) > now then return {'locked'} end
redis.call('HSET', conversation, 'holder', process)
return {'ok', redis.call('HINCRBY', conversation, 'fence', 1)}
"""
)

UNLOCK = (
    _NAMES
    + """
local conversation = name('v', ARGV[1], ARGV[2])
if redis.call('HGET', conversation, 'fence') == ARGV[3] then redis.call('HDEL', conversation, 'holder') end
"""
)

SET_METADATA = (
    _NAMES
    + """
local conversation = name('v', ARGV[1], ARGV[2])
if redis.call('EXISTS', conversation) == 0 then return 0 end
redis.call('HSET', conversation, 'metadata', ARGV[3])
return 1
"""
)

DROP = (
    _NAMES
    + """
local tenant, chain, until_then, before, everything = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local about = name('c', tenant, chain)
local fields = redis.call('HGETALL', about)
local found, records = {}, {}
for i = 1, #fields, 2 do
  found[fields[i]] = fields[i + 1]
  if string.match(fields[i], '^d%d+$') then records[#records + 1] = name('r', tenant, fields[i + 1]) end
end
if seconds(found.forks) > 0 and everything == '1' then redis.call('HSET', about, 'expires', 0) end
if seconds(found.forks) > 0 or seconds(found.expires) > until_then then return 0 end
for _, record in ipairs(records) do
  if seconds(redis.call('HGET', record, 'created')) >= before then return 0 end
end
for _, record in ipairs(records) do
  local settings = redis.call('HGET', record, 'settings')
  if settings then release(tenant, settings) end
  redis.call('DEL', record)
end
redis.call('DEL', about)
local removed = redis.call('ZREM', 'diglot:chains', tenant .. ' ' .. chain)
if found.fork_chain and redis.call('EXISTS', name('c', tenant, found.fork_chain)) == 1 then
  redis.call('HINCRBY', name('c', tenant, found.fork_chain), 'forks', -1)
end
return removed
"""
)

PUT_COMPLETION = (
    _NAMES
    + """
local tenant, ident, place, about, body, expires = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local completion = name('m', tenant, ident)
if redis.call('EXISTS', completion) == 1 then return 0 end
redis.call('HSET', completion, 'place', place, 'about', about, 'body', body, 'expires', expires)
redis.call('ZADD', 'diglot:o:' .. tenant, 0, place)
redis.call('ZADD', 'diglot:completions', expires, tenant .. ' ' .. ident)
return 1
"""
)

LABEL_COMPLETION = (
    _NAMES
    + """
local completion = name('m', ARGV[1], ARGV[2])
if redis.call('EXISTS', completion) == 0 then return 0 end
redis.call('HSET', completion, 'about', ARGV[3])
return 1
"""
)

DROP_COMPLETION = (
    _NAMES
    + """
local tenant, ident = ARGV[1], ARGV[2]
local after, until_then, before = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local completion = name('m', tenant, ident)
local found = redis.call('HMGET', completion, 'place', 'expires')
if not found[1] then
  redis.call('ZREM', 'diglot:completions', tenant .. ' ' .. ident)
  return 0
end
if seconds(string.sub(found[1], 1, 20)) >= before then return 0 end
if seconds(found[2]) <= after or seconds(found[2]) > until_then then return 0 end
redis.call('DEL', completion)
redis.call('ZREM', 'diglot:o:' .. tenant, found[1])
redis.call('ZREM', 'diglot:completions', tenant .. ' ' .. ident)
return 1
"""
)
