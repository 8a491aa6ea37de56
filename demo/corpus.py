"""The demo's texts: descriptions of Debian packages, from the package lists of this machine."""
import re
import subprocess


def _available():
    """The text of the package lists; fetches them when the machine has none."""
    text = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, errors="replace").stdout
    if text.count("\nPackage: ") > 1000:
        return text
    print("No package lists on this machine: fetching them with apt-get update", flush=True)
    import os
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    subprocess.run([*sudo, "apt-get", "update", "-q"], check=True)
    return subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, errors="replace",
                          check=True).stdout


def _field(record, name):
    found = re.search(rf"^{name}: (.*(?:\n .*)*)", record, re.M)
    return found.group(1) if found else ""


def load(count):
    """At most `count` rows {package, section, size (KiB installed), text}, spread evenly over all packages.

    Packages that share a description (libraries built several ways) appear once."""
    rows, seen = [], set()
    for record in _available().split("\n\n"):
        text = re.sub(r"\s+", " ", _field(record, r"Description(?:-en)?").replace("\n .\n", " ")).strip()
        package = _field(record, "Package").strip()
        if not package or len(text.split()) < 2 or text in seen:
            continue
        seen.add(text)
        rows.append({"package": package, "section": _field(record, "Section").strip().split("/")[-1] or "unknown",
                     "size": int(_field(record, "Installed-Size").strip() or 0), "text": text[:1000]})
    rows.sort(key=lambda row: row["package"])
    step = max(1.0, len(rows) / count)
    return [rows[int(i * step)] for i in range(min(count, len(rows)))]
