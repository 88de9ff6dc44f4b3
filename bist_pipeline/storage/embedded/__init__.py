"""The embedded PostgreSQL: the wheel's binaries, started and stopped by us.

Belongs here: finding the binaries, choosing the account, starting, stopping, counting users. Does not belong here:
what is stored in it (`storage/` proper). `server.EmbeddedServer` is the server, `usage.use_server` shares one between
short-lived commands. Linux and macOS.

Two locks and a mark make sharing safe; all are `flock`s, so a killed holder leaves nothing behind:

* `start.lock`, exclusive: held while somebody starts or stops the server.
* `server.lock`, exclusive: inherited by every process of the server, so free means that none is left, even in another
  container on the same disk.
* `users.lock`, shared: held by everyone who uses the server; the last one out stops it.
* `keep_running`: names a server that no last one out may stop.
"""
