"""The ``destination`` block of type ``kakao_moment``: advertising ids as customer files (contracts: kakao_moment 6.1)."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from typing_extensions import Self

from activation.spec.block import Block
from activation.spec.destination import Destination
from activation.spec.entries import Short
from activation.spec.expressions import FromEnvironment, Templated, has_jinja
from activation.spec.fields import MappedField
from activation.spec.invalid import invalid, invalid_at, invalid_in_file
from activation.spec.names import ColumnName, ConnectionId
from activation.spec.quantities import Between, Duration, Size

CONNECTION = "kakao_default"

OVER_LIMIT = {"register": ("split", "stop"), "edit": ("stop", "first_200mb")}
"""``destination.mode`` -> what can be done with more ids than one file takes; the first is the default (contracts: kakao 6.1)."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ufeff]")
_MOST_NAME = 250
_NAME_FIX = f"Write a name of 1 to {_MOST_NAME} characters in one line, without blanks around it."
_PATH = re.compile(r"[a-z][a-z0-9+.-]*://[^\s]+", re.IGNORECASE)


def _account(value: Any) -> Any:
    """An account as a text, whether it is written as a number or as a text."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or re.fullmatch(r"[0-9]{1,19}", value) is None:
        raise invalid("is not the number of an ad account", "Write its digits as Kakao Moment shows them, such as 12345.")
    return value


def check_name(name: str) -> str:
    """Check the name of a customer file, unless Airflow still has to render it.

    :raises pydantic_core.PydanticCustomError: if it cannot be one, however long the names are that Kakao takes.
    """
    if has_jinja(name):
        return name
    if not name or name != name.strip() or len(name) > _MOST_NAME or _CONTROL.search(name):
        raise invalid("is not the name of a customer file", _NAME_FIX)
    return name


def _path(path: str) -> str:
    if not has_jinja(path) and _PATH.fullmatch(path) is None:
        raise invalid("is not the path of a folder", "Write it like s3://aws_default@bucket/kakao or file:///data/kakao.")
    return path


class KakaoFile(Block):
    """How ids are divided among customer files."""

    when_over_limit: Annotated[
        Literal["split", "stop", "first_200mb"] | None,
        Field(
            title="When over the limit",
            description="What happens to more ids than one file takes. `split` makes several files: `name`, `name_1`, …; "
            "`stop` sends nothing and fails; `first_200mb` sends as many as fit and counts the rest as skipped. `null` is "
            "split for register, which can also stop, and stop for edit, which can also take first_200mb.",
            examples=["stop"],
        ),
    ] = None
    first_index: Annotated[
        int,
        Field(ge=0, le=1000, title="First index", description="The number behind the name of the second file.", examples=[2]),
    ] = 1
    stale_parts: Annotated[
        Literal["report", "delete"],
        Field(
            title="Stale parts",
            description="Files of the same name with a number beyond those of this run, left by an earlier and larger list: "
            "`report` names them in the report, `delete` removes them once all files of the run are there.",
            examples=["delete"],
        ),
    ] = "report"
    limit: Annotated[
        Annotated[Size, Between(Size.parse("1KB"), Size.parse("1000MB"))] | None,
        Field(
            title="Limit",
            description="Most bytes of one file; `null` is what Kakao takes (docs/kakao.md), which also is the most.",
            examples=["100MB"],
        ),
    ] = None
    id: Annotated[
        int | None,
        Field(
            ge=1,
            le=2**63 - 1,
            title="Id",
            description="Only with mode: edit: the file with this id is edited, whatever its name is, and keeps its name. "
            "`null` finds the file by its name.",
            examples=[2656],
        ),
    ] = None
    keep: Annotated[
        int | None,
        Field(
            ge=1,
            le=1000,
            title="Keep",
            description="Only with mode: register: of how many runs, this one counted, the files stay. Those of earlier runs of "
            "this pipeline are deleted once the new ones are there, except what targeting uses. `null` deletes none.",
            examples=[7],
        ),
    ] = None


class KakaoIds(Block):
    """Which column holds the ids, and what becomes of them (contracts: kakao 7.1)."""

    column: Annotated[
        ColumnName,
        Field(title="Column", description="The text column with the ids. Case does not matter.", examples=["GAID"]),
    ] = "adid"
    case: Annotated[
        Literal["keep", "lower", "upper"],
        Field(
            title="Case",
            description="How ids are written. Two that differ in case only are duplicates in any case.",
            examples=["lower"],
        ),
    ] = "keep"
    on_invalid: Annotated[
        Literal["reject", "skip"],
        Field(
            title="On invalid",
            description="What happens to what is no advertising id, or missing: `reject` keeps it among the rejects, where it "
            "counts against errors.max_reject_share; `skip` only counts it.",
            examples=["skip"],
        ),
    ] = "reject"


class KakaoWait(Block):
    """Whether a run waits until Kakao has looked its users up (contracts: kakao 2.4: within six hours)."""

    until: Annotated[
        Literal["ready", "none"],
        Field(
            title="Until",
            description="`ready`: the run ends once all of its files can be used for targeting, and fails if one cannot; it "
            "takes no worker slot meanwhile. `none`: it ends when the files are uploaded.",
            examples=["none"],
        ),
    ] = "ready"
    timeout: Annotated[
        Duration,
        Between(Duration.parse("1s"), Duration.parse("7d")),
        Field(title="Time-out", description="How long a run waits before it fails.", examples=["8h"]),
    ] = Duration.parse("6h")
    poll: Annotated[
        Duration,
        Between(Duration.parse("100ms"), Duration.parse("1h")),
        Field(title="Poll", description="How long it waits between two looks.", examples=["5m"]),
    ] = Duration.parse("60s")

    @model_validator(mode="after")
    def _looks_while_it_waits(self) -> Self:
        for name in ("timeout", "poll"):
            if self.until == "none" and getattr(self, name) != type(self).model_fields[name].default:
                raise invalid_at(name, "has no effect, because the run does not wait", "Remove it, or write until: ready.")
        if self.poll > self.timeout:
            raise invalid_at("poll", "is longer than timeout", "Write a shorter poll, or a longer timeout.")
        return self


class KakaoOutput(Block):
    """Where the files go, and by which way."""

    to: Annotated[
        Literal["api", "folder"],
        Field(
            title="To",
            description="`api` uploads the files to Kakao. `folder` writes them as CSV files to object storage, for accounts "
            "without rights for the API; somebody uploads them by hand.",
            examples=["folder"],
        ),
    ] = "api"
    api: Annotated[
        Literal["auto", "customer_files", "customer_data"],
        Field(
            title="API",
            description="The generation of Kakao's resource. `auto` takes customer_files, and customer_data where Kakao answers "
            "that the former was shut down.",
            examples=["customer_data"],
        ),
    ] = "auto"
    path: Annotated[
        Annotated[str, AfterValidator(_path)] | None,
        Templated(),
        FromEnvironment(),
        Field(
            max_length=1000,
            title="Path",
            description="The folder for `to: folder`, as Airflow's object storage path: `s3://connection@bucket/folder`, "
            "`gs://…`, `file:///…`. Jinja and `${env:NAME}` are allowed.",
            examples=["s3://aws_default@crm/kakao"],
        ),
    ] = None
    columns: Annotated[
        Literal["ids", "all"],
        Field(
            title="Columns",
            description="What stands in the files of a folder: the `ids` alone, as Kakao takes them, or `all` columns of the "
            "table below a line with their names. columns.fields chooses some.",
            examples=["all"],
        ),
    ] = "ids"
    wait: Annotated[
        Annotated[KakaoWait, Short("until")],
        Field(
            title="Wait",
            description="Whether a run waits until the files are ready: an `until` of the table below, or a block.",
            examples=["none", {"timeout": "8h"}],
        ),
    ] = KakaoWait()

    @model_validator(mode="after")
    def _folder_has_a_path(self) -> Self:
        if self.to == "folder" and self.path is None:
            fix = "Write path: s3://connection@bucket/folder beside it."
            raise invalid_at("to", "is folder, but no path says which", fix)
        if self.to == "api" and self.path is not None:
            raise invalid_at("path", "has no effect, because the files go to the API", "Remove it, or write to: folder.")
        if self.to == "api" and self.columns == "all":
            raise invalid_at("columns", "is all, but Kakao's API takes ids alone", "Remove it, or write to: folder.")
        for name in ("api", "wait"):
            if self.to == "folder" and getattr(self, name) != type(self).model_fields[name].default:
                raise invalid_at(name, "has no effect, because the files go to a folder", "Remove it, or write to: api.")
        return self


class KakaoDestination(Destination):
    """Customer files of a Kakao Moment ad account, for audiences by advertising id (contracts: kakao_moment)."""

    way: ClassVar[str] = "a customer file"
    knows: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "cursor": (),
        "columns": ("fields",),
        "delivery": (),
        "alerts": ("email", "connection", "notify", "row_errors", "success", "start"),
    }

    type: Annotated[Literal["kakao_moment"], Field(title="Type", description="The destination.", examples=["kakao_moment"])]
    connection: Annotated[
        ConnectionId,
        Templated(),
        FromEnvironment(),
        Field(
            title="Connection",
            description="The Airflow connection of type Kakao Moment; it holds the business token. Not used with output: folder. "
            "Jinja and `${env:NAME}` are allowed.",
            examples=["kakao", "${env:KAKAO_CONNECTION}"],
        ),
    ] = CONNECTION
    ad_account_id: Annotated[
        str,
        BeforeValidator(_account),
        FromEnvironment(),
        Field(
            title="Ad account",
            description="The number of the ad account, as a number or a text of digits. `${env:NAME}` is allowed.",
            examples=["12345"],
            json_schema_extra={"type": ["string", "integer"], "pattern": "^[0-9]{1,19}$"},
        ),
    ]
    mode: Annotated[
        Literal["register", "edit"],
        Field(
            title="Mode",
            description="`register` makes new files. `edit` replaces all ids of the one file of that name, or of the one that "
            "file.id names; with none or several of that name the run fails.",
            examples=["edit"],
        ),
    ]
    file_name: Annotated[
        str,
        Templated(),
        FromEnvironment(),
        AfterValidator(check_name),
        Field(
            title="File name",
            description="The name of the customer file; how many characters Kakao takes stands in docs/kakao.md. "
            "Jinja and `${env:NAME}` are allowed.",
            examples=["VIP {{ ds }}"],
        ),
    ]
    file: Annotated[
        KakaoFile,
        Field(title="File", description="How ids are divided among files.", examples=[{"when_over_limit": "stop"}]),
    ] = KakaoFile()
    ids: Annotated[
        Annotated[KakaoIds, Short("column")],
        Field(
            title="Ids",
            description="Which column holds the ids, and what becomes of them: a column's name, or a block.",
            examples=["GAID", {"column": "IDFA", "case": "upper"}],
        ),
    ] = KakaoIds()
    output: Annotated[
        Annotated[KakaoOutput, Short("to")],
        Field(title="Output", description="Where the files go: `api`, or a block.", examples=[{"api": "customer_data"}]),
    ] = KakaoOutput()

    @property
    def over_limit(self) -> str:
        """What happens to more ids than one file takes; see :data:`OVER_LIMIT`."""
        return self.file.when_over_limit or OVER_LIMIT[self.mode][0]

    @model_validator(mode="after")
    def _file_fits_the_mode(self) -> Self:
        allowed, chosen = OVER_LIMIT[self.mode], self.over_limit
        if chosen not in allowed:
            fix = f"Write one of {', '.join(allowed)}, or another mode."
            raise invalid_at(("file", "when_over_limit"), f"is {chosen}, which mode {self.mode} cannot do", fix)
        for name in ("first_index", "stale_parts"):
            if chosen != "split" and getattr(self.file, name) != KakaoFile.model_fields[name].default:
                fix = "Remove it; only mode: register with when_over_limit: split makes several files."
                raise invalid_at(("file", name), "has no effect, because the run makes one file", fix)
        return self

    @model_validator(mode="after")
    def _id_and_keep_fit_the_mode(self) -> Self:
        if self.file.id is not None and self.mode == "register":
            fix = "Remove it, or write mode: edit to replace the ids of this file."
            raise invalid_at(("file", "id"), "names a file that is there, but mode: register makes new ones", fix)
        if self.file.keep is not None and self.mode == "edit":
            raise invalid_at(("file", "keep"), "has no effect, because an edit makes no file", "Remove it.")
        if self.output.to == "folder":
            self._check_folder()
        return self

    def _check_folder(self) -> None:
        problem = "has no effect, because the files go to a folder"
        for name in ("id", "keep"):
            if getattr(self.file, name) is not None:
                raise invalid_at(("file", name), problem, "Remove it, or write output: {to: api}.")
        if self.connection != CONNECTION:
            fix = "Remove it; the storage's connection stands in the path: s3://connection@bucket/folder."
            raise invalid_at("connection", problem, fix)


def check_fields(fields: Mapping[str, MappedField], to: KakaoDestination) -> None:
    """Refuse an output mapping where ids are all that is sent, and what a file of texts cannot have.

    :param fields: ``columns.fields``.
    :raises pydantic.ValidationError: if there are fields and the files go to the API, or one of them cannot be written.
    """
    if fields and to.output.to == "api":
        fix = "Remove fields, or write destination: {output: {to: folder, path: …}}."
        raise invalid_at("fields", "says what else is written, but Kakao's API takes ids alone", fix)
    if fields and to.output.columns == "all":
        place = ("destination", "output", "columns")
        raise invalid_in_file(place, "is all, but columns.fields chooses some", "Remove one of the two.")
    for name, field in fields.items():
        if "." in name:
            raise invalid_at(("fields", name), "nests, which a CSV file cannot", "Write the name of the column in the file.")
        for key, given in (("as", field.as_), ("nulls", field.nulls), ("mask", field.mask)):
            if given is not None:
                fix = "Remove it; a column of the file is the text of a column, a constant, a template or a moment."
                raise invalid_at(("fields", name, key), "means nothing in a CSV file", fix)
