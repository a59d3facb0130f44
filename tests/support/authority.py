"""A certificate authority of the test's own, and certificates that it signs."""

import os
import subprocess
from datetime import UTC, datetime, timedelta

HERE = "IP:127.0.0.1"
DAY = timedelta(days=1)


class Authority:
    """An authority with its files in a folder; `file` is its certificate."""

    def __init__(self, folder, name="authority"):
        self._folder, self._name, self.file = folder, name, folder / f"{name}.pem"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.txt").touch()
        (folder / f"{name}.serial").write_text("01")
        self._make(name, "-x509", "-days", "2", "-out", self.file)

    def signed(self, name, names=HERE, ends=2 * DAY, begins=-DAY):
        """Return the files of a certificate and its key.

        Parameters
        ----------
        names
            What it is for, as in a subjectAltName.
        begins, ends
            Seen from now.
        """
        made, now = self._folder / f"{name}.pem", datetime.now(UTC)
        key = self._make(name, "-out", self._folder / f"{name}.csr")
        config = self._folder / f"{self._name}.cnf"
        config.write_text(
            f"[ca]\ndefault_ca=own\n[own]\nnew_certs_dir={self._folder}\ndatabase={self._folder / self._name}.txt\n"
            f"serial={self._folder / self._name}.serial\ndefault_md=sha256\npolicy=any\nunique_subject=no\n"
            f"x509_extensions=more\n[any]\ncommonName=supplied\n[more]\nsubjectAltName={names}\n"
        )
        moments = [f"{now + moved:%Y%m%d%H%M%SZ}" for moved in (begins, ends)]
        openssl(
            "ca", "-batch", "-notext", "-config", config, "-cert", self.file, "-keyfile",
            self._folder / f"{self._name}.key", "-in", self._folder / f"{name}.csr", "-out", made,
            "-startdate", moments[0], "-enddate", moments[1],
        )  # fmt: skip
        return made, key

    def _make(self, name, *more):
        """Make a key, and what is asked or signed with it; return the file of the key."""
        key = self._folder / f"{name}.key"
        openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
            "-keyout", key, *more,
        )  # fmt: skip
        key.chmod(0o600)
        return key


def openssl(*arguments):
    """Run OpenSSL, or fail with what it says."""
    ran = subprocess.run(["openssl", *map(str, arguments)], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def moved(files, others):
    """Put certificate and key in the place of others, each at once, as whoever renews them does."""
    for file, place in zip(files, others, strict=True):
        beside = place.with_suffix(".new")
        beside.write_bytes(file.read_bytes())
        os.replace(beside, place)  # noqa: PTH105  the step that counts


def subject(side):
    """Return the name in the certificate that one side of a connection was shown."""
    [[[_, name]]] = side.getpeercert()["subject"]
    return name
