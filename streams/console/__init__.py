"""The console: pages on which people see what is going on and act, served by the API under ``/console/``.

They are made on the server from the fold of the incidents and from the views of the store, through the loaders of
boards and commands, and work without scripts. A store that does not answer leaves gaps that say so.
"""
