import assert from "node:assert/strict";
import test from "node:test";

import { candidates, findTiss, notFound } from "../../source/finding.mjs";

const LINUX = {
  setting: "",
  folders: ["/home/ada/plans", "/home/ada/other"],
  platform: "linux",
  home: "/home/ada",
  searchPath: "/usr/local/bin::.:bin:/usr/bin",
};
const WINDOWS = {
  setting: "",
  folders: ["C:\\Users\\Ada\\plans"],
  platform: "win32",
  home: "C:\\Users\\Ada",
  searchPath: "C:\\Python\\Scripts;;C:\\Windows",
};

test("the environment of the workspace comes first, then the PATH", () => {
  assert.deepEqual(candidates(LINUX), [
    "/home/ada/plans/.venv/bin/tiss",
    "/home/ada/other/.venv/bin/tiss",
    "/usr/local/bin/tiss",
    "/usr/bin/tiss",
  ]);
  assert.deepEqual(candidates(WINDOWS), [
    "C:\\Users\\Ada\\plans\\.venv\\Scripts\\tiss.exe",
    "C:\\Python\\Scripts\\tiss.exe",
    "C:\\Windows\\tiss.exe",
  ]);
});

test("the setting stands for itself", () => {
  const named = (setting, around = LINUX) => candidates({ ...around, setting });
  assert.deepEqual(named(" /opt/tiss "), ["/opt/tiss"]);
  assert.deepEqual(named("~/bin/tiss"), ["/home/ada/bin/tiss"]);
  assert.deepEqual(named("env/bin/tiss"), [
    "/home/ada/plans/env/bin/tiss",
    "/home/ada/other/env/bin/tiss",
  ]);
  assert.deepEqual(named("${workspaceFolder}/env/tiss")[0], "/home/ada/plans/env/tiss");
  assert.deepEqual(named("tiss-1.2"), ["/usr/local/bin/tiss-1.2", "/usr/bin/tiss-1.2"]);
  assert.deepEqual(named("D:\\tiss.exe", WINDOWS), ["D:\\tiss.exe"]);
  assert.deepEqual(named("~\\tiss.exe", WINDOWS), ["C:\\Users\\Ada\\tiss.exe"]);
});

test("nothing is taken from a folder that PATH does not name in full", () => {
  const found = candidates({ ...LINUX, folders: [], searchPath: ":.:bin:~/bin" });
  assert.deepEqual(found, []);
});

test("the first that is a program is found", async () => {
  const asked = [];
  const isProgram = async (path) => {
    asked.push(path);
    return path.startsWith("/usr");
  };
  assert.equal(await findTiss(LINUX, isProgram), "/usr/local/bin/tiss");
  assert.equal(asked.length, 3);
  assert.equal(await findTiss({ ...LINUX, searchPath: "" }, isProgram), undefined);
});

test("the message says where was looked, and what to do", () => {
  assert.match(notFound(LINUX), /neither in \.venv\/bin .* nor on the PATH.*quantatissu\[editor\]/);
  assert.match(notFound(WINDOWS), /\.venv\\Scripts/);
  assert.match(notFound({ ...LINUX, folders: [] }), /tiss is not on the PATH/);
  assert.match(notFound({ ...LINUX, setting: "/opt/x" }), /tisslang\.path names \/opt\/x/);
});
