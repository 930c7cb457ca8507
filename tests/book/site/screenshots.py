"""Pictures of the built book for a person: light and dark, on a desk and on a phone.

python tests/book/site/screenshots.py build/book/html FOLDER [PAGE…]
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from book_site import chapters, served
from headless import headless

WIDTHS = {"desk": 1280, "phone": 360}
HIGHEST = 6000  # pixels of a page, from its top


def main(site: Path, folder: Path, wanted: list[str]) -> None:
    """One PNG for each page, width and theme, whose name says which."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [name for name in chapters(site) if not wanted or any(w in name for w in wanted)]
    with served(site) as address, headless() as browser:
        page = browser.new_page()
        for name in names:
            for theme in ("light", "dark"):
                page.emulate_media(color_scheme=theme)
                for place, width in WIDTHS.items():
                    page.set_viewport_size({"width": width, "height": 900})
                    page.goto(address + name)
                    page.wait_for_timeout(1000)  # formulas, widgets
                    file = folder / f"{name.replace('/', '-')}-{theme}-{place}.png"
                    height = page.evaluate("document.documentElement.scrollHeight")
                    clip = {"x": 0, "y": 0, "width": width, "height": min(height, HIGHEST)}
                    page.screenshot(path=file, full_page=True, clip=clip)
                    print(file)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
