"""Bringing files in on a page: guess, review, preview, import with progress, result, undo."""

from __future__ import annotations

import hashlib
import re
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from lastmile import clock, ingest, queries
from lastmile.errors import LastmileError
from lastmile.ingest import Guess, ImportResult, Mapping, Preview
from lastmile.jobs import Job
from lastmile.ui import errors, format, shell
from lastmile.ui.desk import Desk
from lastmile.ui.jobs import watch
from lastmile.ui.tables import Column
from lastmile.ui.tiles import Tile, kpi_row

KINDS = ["csv", "tsv", "txt", "json", "jsonl", "ndjson", "parquet", "xlsx", "xls", "xlsm", "ods"]
JOB = "import job"
TEMPLATES = Path(__file__).resolve().parents[2] / "data" / "templates"

FINDINGS = {
    "column": Column("Column of the file", width="medium"),
    "field": Column("Taken for", width="medium"),
    "confidence": Column("Sure", "percent"),
    "why": Column("Why", width="large"),
}
PROBLEMS = {
    "rows": Column("Rows", "count", width=70),
    "column": Column("Column"),
    "problem": Column("What is wrong", width="large"),
    "remedy": Column("What to do", width="large"),
    "examples": Column("Rows of the file, with their value", width="large"),
}
IMPORTS = {
    "finished_at": Column("Imported", "instant"),
    "file": Column("File", width="medium"),
    "mapping": Column("Mapping"),
    "actor": Column("By"),
    "rows_read": Column("Read", "count"),
    "rows_taken": Column("Taken", "count"),
    "rows_repeated": Column("Repeated", "count", "There already: nothing was changed"),
    "rows_refused": Column("Refused", "count", "Kept whole in quarantine"),
    "undone_at": Column("Taken back", "instant"),
}


def show(desk: Desk) -> None:
    """The way in: a running import, else its result, else the choice of files."""
    job: Job[ImportResult] | None = st.session_state.get(JOB)
    if job is not None and job.running:
        st.markdown(f"**{job.name}**")
        watch(job)
        return
    if job is not None:
        _ended(desk, job)
    files = st.file_uploader(
        "Files",
        type=KINDS,
        accept_multiple_files=True,
        help="CSV, TSV, Excel, JSON lines, JSON or Parquet",
        key="files",
    )
    if not files:
        st.caption("Nothing is written before you have seen what would be taken and what would be refused, and why.")
        _known_formats()
        return
    names = [file.name for file in files]
    name = st.pills("File to look at", names, default=names[0]) if len(names) > 1 else names[0]
    chosen = next((file for file in files if file.name == name), files[0])
    with errors.told():
        _review(desk, _kept(chosen))


def _known_formats() -> None:
    """What is recognised without a word, and templates to fill in."""
    with st.expander("What is recognised, and templates to fill in"):
        known = ingest.mappings().values()
        told = ", ".join(mapping.title or mapping.name for mapping in known if not mapping.name.startswith("own_"))
        st.markdown(f"Recognised by their columns: {told}. Any other table is read with a first guess that you review.")
        with st.container(horizontal=True, gap="small"):
            for path in sorted(TEMPLATES.glob("*.csv")):
                st.download_button(
                    path.name, path.read_bytes(), path.name, "text/csv", icon=":material/download:", on_click="ignore"
                )
        st.markdown(re.sub(r"^#+", "#####", (TEMPLATES / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE))


def history(desk: Desk) -> None:
    """All imports, and for the one that is chosen: its quarantine and its undo."""
    found = desk.ask(ingest.imports)
    chosen = st.session_state.get("chosen import")
    desk.table(
        found,
        key="imports",
        alt="Imports",
        columns=IMPORTS,
        id_column="import_id",
        choose=lambda id: st.session_state.update({"chosen import": id}),
        chosen=chosen,
        height="content" if len(found) < 10 else 350,
        empty="Nothing has been imported yet.",
    )
    mine = found[found.import_id == chosen] if chosen else found.iloc[:0]
    if len(mine):
        _one_import(desk, mine.iloc[0])


def _kept(upload: Any) -> Path:
    """The uploaded file on disk under its own name, so that messages name it and DuckDB reads it in place."""
    content = upload.getbuffer()
    folder = Path(tempfile.gettempdir()) / "lastmile-uploads" / hashlib.sha256(content).hexdigest()[:16]
    path = folder / Path(upload.name).name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return path


def _review(desk: Desk, path: Path) -> None:
    guessed = _guess(desk, path)
    mapping = _mapping(desk, path, guessed)
    if mapping is None:
        return
    preview = _preview(desk, path, mapping)
    _preview_shown(desk, preview, mapping.zone or "UTC")
    if st.button(f"Import {path.name}", type="primary", icon=":material/upload:", disabled=preview.rows_taken == 0):
        store, tower, actor = desk.store, desk.tower, desk.view.actor

        def work(report: Any, cancelled: Any) -> ImportResult:
            result = ingest.run_import(store, path, mapping, actor, report, cancelled)
            path.unlink(missing_ok=True)  # what was needed of it is in the ledger and in quarantine
            tower.clock = clock.hold_at_end_of_data(store, actor)
            return result

        st.session_state[JOB] = Job(f"The import of {path.name}", work).start()
        st.rerun()


def _guess(desk: Desk, path: Path) -> Guess:
    with desk.store.cursor() as connection:
        return ingest.guess(connection, path)


def _mapping(desk: Desk, path: Path, guessed: Guess) -> Mapping | None:
    """The mapping as reviewed: the first guess, or a kept one, with its text open to change."""
    known = ingest.mappings()
    first = guessed.known or "as guessed"
    options = [first, *[name for name in known if name != first]]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = st.selectbox("Mapping", options, key=f"mapping of {path}", width=320)
        sure = (
            "its columns are recognised"
            if guessed.known
            else f"a first guess, {format.percent(guessed.confidence, 0)} sure"
        )
        if picked == first:
            st.caption(f"{first}: {sure}", width="content")
    text = guessed.text if picked == first else known[picked].text
    if picked == first and not guessed.known:
        for question in guessed.questions:
            st.warning(question, icon=":material/help:")
        with st.expander("What each column was taken for, and why"):
            desk.table(
                pd.DataFrame([vars(finding) for finding in guessed.findings]),
                key="findings",
                alt="Columns and the fields they were taken for",
                columns=FINDINGS,
                height="content",
            )
    with st.expander("The mapping, to read or change", expanded=guessed.mapping is None and picked == first):
        text = st.text_area(
            "Mapping (TOML)", text, height=320, key=f"text of {path} {picked}", label_visibility="collapsed"
        )
        _keep(text)
    try:
        return ingest.parse(text)
    except LastmileError as error:
        # what the guess says of the whole file is more than what its text alone can say
        errors.tell(ingest.BadMapping(guessed.missing) if guessed.missing and text == guessed.text else error)
        return None


def _keep(text: str) -> None:
    """Save the mapping under its own name, for the next file of the kind."""
    if st.button("Keep this mapping for files like this", icon=":material/save:"):
        try:
            mapping = ingest.keep(ingest.parse(text))
        except LastmileError as error:
            errors.tell(error)
            return
        st.success(f"Kept as **{mapping.name}** in data/mappings.", icon=":material/check:")


def _preview(desk: Desk, path: Path, mapping: Mapping) -> Preview:
    with st.spinner("Looking at the first rows …"):
        return desk.ask(_previewed, path, mapping)


def _previewed(store: Any, path: Path, mapping: Mapping) -> Preview:
    return ingest.preview(store, path, mapping)


def _readable(examples: pd.DataFrame, zone: str) -> pd.DataFrame:
    """Checked rows for a person: no ids of our own, events by number, times on the clocks of the file's zone."""
    shown = examples[[name for name in examples if not name.endswith(("event_id", "booking_id"))]]
    times = {
        name: shown[name].dt.tz_convert(zone) for name in shown if isinstance(shown[name].dtype, pd.DatetimeTZDtype)
    }
    return shown.assign(**times).rename(columns=lambda name: re.sub(r"^e(\d+)_", _event_of, name).replace("_", " "))


def _event_of(found: re.Match[str]) -> str:
    return f"event {int(found[1]) + 1}: "


def _preview_shown(desk: Desk, preview: Preview, zone: str) -> None:
    whole = "of the whole file" if preview.whole_file else "of its first rows"
    counted = (
        ("Rows read", preview.rows_read, "Rows looked at for this preview.", "neutral"),
        ("Would be taken", preview.rows_taken, "Rows that would be written.", "neutral"),
        ("Repeated", preview.rows_repeated, "Rows that are on record already.", "neutral"),
        (
            "Would be refused",
            preview.rows_refused,
            "Rows that would go to quarantine, whole, with the reason.",
            "bad" if preview.rows_refused else "neutral",
        ),
    )
    kpi_row(
        [
            Tile(label, format.number(rows), told, n=preview.rows_read, n_of=whole, direction=direction)
            for label, rows, told, direction in counted
        ],
        key="preview figures",
    )
    for note in preview.notes:
        st.caption(f":material/info: {note}")
    _problems(desk, preview.problems, "preview problems")
    if len(preview.examples):
        st.markdown("**As it would be taken** :gray[the first rows]")
        st.dataframe(_readable(preview.examples, zone), hide_index=True, alt="First rows as they would be taken")
    if len(preview.refused):
        st.markdown("**What would be refused** :gray[the first rows]")
        st.dataframe(preview.refused, hide_index=True, alt="First rows that would be refused")


def _problems(desk: Desk, problems: Any, key: str) -> None:
    if not problems:
        return
    rows = [
        vars(problem) | {"examples": "; ".join(f"row {row}: {value}" for row, value in problem.examples)}
        for problem in problems
    ]
    desk.table(
        pd.DataFrame(rows),
        key=key,
        alt="Problems found, by kind",
        columns=PROBLEMS,
        height="content",
    )


def _ended(desk: Desk, job: Job[ImportResult]) -> None:
    if job.error:
        st.error(job.error, icon=":material/error:")
    elif job.result is not None:
        result = job.result
        st.success(
            f"**{job.name} is done:** {format.number(result.rows_read)} rows read = {format.number(result.rows_taken)} taken + "
            f"{format.number(result.rows_repeated)} repeated + {format.number(result.rows_refused)} refused.",
            icon=":material/check:",
        )
        for note in result.notes:
            st.caption(f":material/info: {note}")
        _problems(desk, result.problems, "result problems")
        span = desk.ask(queries.imported_days, result.import_id)
        if span is not None:
            period = {"period": "Other days", "days": f"{span[0]:%Y-%m-%d},{span[1]:%Y-%m-%d}"}
            st.page_link(
                shell.PAGES / "kpis.py", label="See what it says", icon=":material/monitoring:", query_params=period
            )
    if st.button("Import another file"):
        del st.session_state[JOB]
        st.rerun()


def _one_import(desk: Desk, row: pd.Series) -> None:
    with st.container(border=True, key="one import"):
        st.markdown(f"**{row.file}** with {row.mapping}")
        if row.rows_refused:
            refused = desk.ask(ingest.quarantined, row.import_id)
            st.caption(
                f"{format.number(len(refused))} rows in quarantine. Download them, mend the cells, and import the file again."
            )
            st.dataframe(refused.head(200), hide_index=True, alt="Rows in quarantine", height=220)
            st.download_button(
                "Download the refused rows",
                data=lambda: ingest.quarantine_csv(desk.store, row.import_id),
                file_name=f"refused-{Path(row.file).stem}.csv",
                mime="text/csv",
                icon=":material/download:",
                on_click="ignore",
            )
        if format.known(row.undone_at):
            st.caption(f"Taken back by {row.undone_by}: its rows stay on record and count for nothing.")
            return
        with st.form("undo", border=False):
            why = st.text_input("Why take it back?", max_chars=300)
            undone = st.form_submit_button("Take this import back", icon=":material/undo:")
        if undone:
            try:
                ingest.undo_import(desk.store, row.import_id, desk.view.actor, why)
            except LastmileError as error:
                errors.tell(error)
                return
            st.rerun()
