"""A Hugging Face Hub on loopback, as much of one as pulling and publishing a model need; repositories in memory."""

import base64
import hashlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Hub(ThreadingHTTPServer):
    """`repositories`: "owner/name" -> {file: bytes}, at first the folders ROOT/OWNER/NAME; `requests`: every (method,
    path) that came in; who has TOKEN may write."""

    TOKEN = "hf_local"

    def __init__(self, root: Path | None = None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories = {}
        self.requests = []
        for folder in root.glob("*/*") if root else ():
            name = f"{folder.parent.name}/{folder.name}"
            self.repositories[name] = {file.name: file.read_bytes() for file in folder.iterdir()}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def commit(self, name: str) -> str:
        digest = hashlib.sha1(name.encode())
        for file, data in sorted(self.repositories[name].items()):
            digest.update(file.encode() + hashlib.sha1(data).digest())
        return digest.hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        parts = self._parts()
        if parts[:2] == ["api", "models"] and len(parts) >= 4:
            name, rest = "/".join(parts[2:4]), parts[4:]
            files = self._files(name, rest[1] if rest else "main")
            if files is None:
                return
            if rest[:1] == ["tree"]:
                facts = ((file, {"size": len(data), "oid": _oid(data)}) for file, data in files.items())
                self._json([{"type": "file", "path": file, **fact} for file, fact in facts])
            else:
                siblings = [{"rfilename": file} for file in files]
                self._json({"id": name, "modelId": name, "sha": self.server.commit(name), "private": False,
                            "tags": [], "downloads": 0, "likes": 0, "siblings": siblings})  # fmt: skip
        elif len(parts) >= 5 and parts[2] == "resolve":
            name = "/".join(parts[:2])
            files = self._files(name, parts[3])
            if files is None:
                return
            data = files.get("/".join(parts[4:]))
            if data is None:
                return self._error(404, "EntryNotFound")
            start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
            headers = {"ETag": f'"{_oid(data)}"', "X-Repo-Commit": self.server.commit(name)}
            self._send(data[start:], "application/octet-stream", 206 if start else 200, headers)
        else:
            self._error(404, "RepoNotFound")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = self._parts()
        if parts == ["api", "validate-yaml"]:
            return self._json({"errors": [], "warnings": []})
        if self.headers.get("Authorization") != f"Bearer {Hub.TOKEN}":
            return self._error(401, "")
        if parts == ["api", "repos", "create"]:
            asked = json.loads(body)
            name = f"{asked['organization']}/{asked['name']}"
            exists = name in self.server.repositories
            self.server.repositories.setdefault(name, {})
            self._json({"url": f"{self.server.address}/{name}", "name": name}, 409 if exists else 200)
        elif parts[-2] == "preupload":
            files = json.loads(body)["files"]
            self._json({"files": [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in files]})
        elif parts[-2] == "commit":
            name = "/".join(parts[2:4])
            for line in body.splitlines():
                operation = json.loads(line)
                if operation["key"] == "file":
                    data = base64.b64decode(operation["value"]["content"])
                    self.server.repositories[name][operation["value"]["path"]] = data
            commit = self.server.commit(name)
            url = f"{self.server.address}/{name}/commit/{commit}"
            self._json({"commitUrl": url, "commitOid": commit})

    def _parts(self) -> list[str]:
        self.server.requests.append((self.command, self.path))
        return [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]

    def _files(self, name: str, revision: str) -> dict[str, bytes] | None:
        """The files of a repository at main, v1 or its commit; else an error has been sent."""
        if name not in self.server.repositories:
            return self._error(404, "RepoNotFound")
        if revision not in ("main", "v1", self.server.commit(name)):
            return self._error(404, "RevisionNotFound")
        return self.server.repositories[name]

    def _json(self, data, status: int = 200) -> None:
        self._send(json.dumps(data).encode(), "application/json", status)

    def _error(self, status: int, code: str) -> None:
        self._send(b"{}", "application/json", status, {"X-Error-Code": code, "X-Error-Message": code})

    def _send(self, data: bytes, kind: str, status: int, headers: dict | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_):
        pass


def _oid(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
