"""What the published applications serve, made the same on every run."""

import io
import sqlite3
import tarfile
from pathlib import Path


def nothing(folder: Path) -> None:
    """An application that brings its own."""


def database(folder: Path) -> None:
    """A small SQLite file: two tables, a view, a foreign key, nulls and text beyond ASCII."""
    path = folder / "shop.db"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as db:
        db.executescript("""
            CREATE TABLE makers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, country TEXT);
            CREATE TABLE products (
                id INTEGER PRIMARY KEY, title TEXT NOT NULL, price REAL, stock INTEGER,
                maker INTEGER REFERENCES makers(id), note TEXT);
            CREATE VIEW cheap AS SELECT id, title, price FROM products WHERE price < 10;
        """)
        db.executemany(
            "INSERT INTO makers VALUES (?, ?, ?)", [(1, "Teehaus", "DE"), (2, "Ichi", "JP"), (3, "Øl", None)]
        )
        db.executemany(
            "INSERT INTO products VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    number,
                    f"Product {number} — №{number}",
                    number * 1.5,
                    number % 7,
                    number % 3 + 1,
                    None if number % 4 else "n/a",
                )
                for number in range(1, 251)
            ],
        )


def packages(folder: Path) -> None:
    """A folder of source distributions, each file with fixed content and times."""
    target = folder / "packages"
    target.mkdir(exist_ok=True)
    for name in ("seam", "tide", "harbour", "lighthouse"):
        for version in ("0.9", "1.0", "1.1b1"):
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
            with tarfile.open(target / f"{name}-{version}.tar.gz", "w:gz") as archive:
                entry = tarfile.TarInfo(f"{name}-{version}/PKG-INFO")
                entry.size = len(metadata)
                archive.addfile(entry, io.BytesIO(metadata))
