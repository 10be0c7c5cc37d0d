"""An application that is elsewhere: requests go to it over HTTP."""
