"""Files of secrets, changed as an operator changes them."""


def put(folder, text, name):
    """Put a text into a file of a folder in one step."""
    folder.mkdir(exist_ok=True)
    new = folder / f".{name}.new"
    new.write_text(text + "\n")
    new.rename(folder / name)
