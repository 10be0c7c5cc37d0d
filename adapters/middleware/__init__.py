"""One request that is translated, from the client's connection to the application's and back."""
