"""ClickHouse's HTTP interface over the embedded store, for reading only.

One request is one `request.Asked`, run by `reader.Reader` on a handle of the engine that lives for that request
alone, and written back by `app`. What may run at all is decided in `guard`; who may ask, in `users`.
"""
