"use strict";

/*
 * Brings the Node.js and the parts that this checkout is pinned to, then runs one of its programs.
 * Plain JavaScript without a dependency, because it has to start on whatever Node.js (20 or newer) is there.
 *
 * What is installed carries a stamp with the digest of its lock file; a stamp that fits means no work and no
 * output. A `node_modules` that is a symbolic link belongs to another checkout and is never installed into.
 */

const { spawn, spawnSync } = require("child_process");
const crypto = require("crypto");
const fs = require("fs");
const os = require("os");
const path = require("path");

const ROOT = __dirname;
const RUNTIME = path.join(ROOT, "runtime");
const LOCK = path.join(ROOT, ".cache", "bootstrap.lock");
const BEAT = path.join(LOCK, "beat");
/** Where Node.js keeps what it compiled: without it each start reads and strips all TypeScript again, 0.2 s. */
const COMPILED = path.join(ROOT, ".cache", "compiled");
const STAMP = ".claviger-lock";
const WEB = path.join(ROOT, "web");
const WEB_BUILD = "tools/build-web.ts";
/** With the digest of what the dashboard was made of. */
const WEB_STAMP = path.join(WEB, "dist", ".stamp");
/** What stands beside the sources of the dashboard and is none. */
const NO_WEB_SOURCE = /^(node_modules|dist(\.draft|\.old)?)$|\.test\.ts$/;
const OLDEST_SYSTEM_NODE = [24, 19];
const BEAT_MS = 1_000;
const STALE_MS = 15_000;
const LOCK_DEADLINE_MS = 600_000;
const FORWARDED = ["SIGTERM", "SIGINT", "SIGHUP"];

// node:sqlite still announces itself as experimental on every start; that line is not for the operator.
// V8 would let the young objects grow to 32 MiB a half, and then collect all of them and the old for each 64 MiB of large
// answers (docs/adr/0013).
// Node would carry a frame of AsyncLocalStorage through every callback, of which there is none here (docs/adr/0018).
// Of the sources alone: threads that end while others compile calls out of WebAssembly anew have V8 lose count of them
// (docs/adr/0015). In a bundle nothing is read by WebAssembly, and a start is shorter by it (docs/adr/0017).
const NODE_FLAGS = require("./runtime/node-flags.json");

const VITEST = "node_modules/vitest/vitest.mjs";

/**
 * Each command: the file to run, its arguments, whether it belongs to the checkout (runs in its root), and what it needs
 * of the dashboard: its parts; it built; it built once more; or it built where that can be done (`wanted`).
 */
const COMMANDS = {
  serve: (args) => ({ file: "src/main.ts", args: ["serve", ...args], web: "wanted" }),
  test: (args) => ({ file: VITEST, args: ["run", ...args], inRoot: true }),
  "test:system": (args) => ({
    file: VITEST,
    args: ["run", "--mode", "system", "--passWithNoTests", ...args],
    inRoot: true,
    web: "built",
  }),
  "test:crash": (args) => ({ file: VITEST, args: ["run", "--mode", "crash", ...args], inRoot: true }),
  "test:corpora": corporaCommand,
  check: (args) => ({ file: "tools/check.ts", args, inRoot: true, web: "parts" }),
  promises: (args) => ({ file: "tools/promises.ts", args, inRoot: true }),
  bench: (args) => ({ file: "bench/run.ts", args, inRoot: true }),
  build: (args) => ({ file: "tools/bundle.ts", args, inRoot: true, web: "built" }),
  "build:web": () => ({ web: "built anew" }),
  screenshots: (args) => ({ file: "tools/screenshots/run.ts", args, inRoot: true, web: "built" }),
  run: runCommand,
};

main().catch((error) => fail(error.message, error.exitStatus));

async function main() {
  const [name, ...args] = process.argv.slice(2);
  if (name === undefined || !Object.hasOwn(COMMANDS, name)) usage();
  const command = COMMANDS[name](args);
  const node = await bringParts();
  await bringDashboard(node, command.web);
  if (command.file === undefined) return;
  const file = path.resolve(ROOT, command.file);
  if (!fs.existsSync(file)) fail(`there is no ${path.relative(ROOT, file)} in this checkout`);
  runProgram(node, file, command);
}

/** `bin/claviger` comes by here: of its commands only the server needs the dashboard. */
function runCommand([file, ...args]) {
  if (file === undefined) usage();
  return { file, args, web: args[0] === "serve" && !args.includes("--help") ? "wanted" : undefined };
}

/** The corpora are handed in: a directory outside the checkout, named relative to where the caller stands. */
function corporaCommand(args) {
  const [directory, ...rest] = args;
  if (directory === undefined) fail("name the directory that holds the corpora: npm run test:corpora DIR");
  const viaNpm = process.env.npm_lifecycle_event === "test:corpora";
  const from = (viaNpm && process.env.INIT_CWD) || process.cwd();
  const absolute = path.resolve(from, directory);
  if (!fs.existsSync(absolute) || !fs.statSync(absolute).isDirectory())
    fail(`the corpora are not at ${absolute}`);
  return {
    file: VITEST,
    args: ["run", "--mode", "corpora", "--passWithNoTests", ...rest],
    inRoot: true,
    env: { CLAVIGER_CORPORA: absolute },
  };
}

/** Installs what is missing or stale, under the lock, and gives the path of the Node.js to run with. */
async function bringParts() {
  const systemNode = isNewEnough(process.versions.node) ? process.execPath : undefined;
  const node = systemNode ?? pinnedNode();
  const isReady = () => (systemNode || (isInstalled(RUNTIME) && fs.existsSync(node))) && isInstalled(ROOT);
  if (isReady()) return node;
  await withLock(async () => {
    if (!systemNode && !(isInstalled(RUNTIME) && fs.existsSync(node))) {
      await install(RUNTIME, "installing the pinned Node.js");
      checkRuns(node);
    }
    if (!isInstalled(ROOT)) await install(ROOT, "installing the pinned parts");
  });
  return node;
}

/** Installs the parts of the dashboard and builds it, where `need` asks for that and it is missing or stale. */
async function bringDashboard(node, need) {
  if (need === undefined || !fs.existsSync(path.join(WEB, "package.json"))) return;
  const isReady = () => (need === "parts" ? isInstalled(WEB) : need !== "built anew" && isBuilt());
  if (isReady()) return;
  try {
    await withLock(async () => {
      if (!isInstalled(WEB)) await install(WEB, "installing the parts of the dashboard");
      if (!isReady()) await buildDashboard(node);
    });
  } catch (error) {
    if (need !== "wanted" || error.isStopped) throw error;
    process.stderr.write(`claviger: the dashboard cannot be built, the rest is started (${error.message})\n`);
  }
}

function isBuilt() {
  try {
    return fs.readFileSync(WEB_STAMP, "utf8") === webDigest();
  } catch {
    return false;
  }
}

async function buildDashboard(node) {
  process.stderr.write("claviger: building the dashboard (once for each change of it, about 10 s) …\n");
  const args = [...NODE_FLAGS.sources, path.join(ROOT, WEB_BUILD), webDigest()];
  await runQuietly(WEB_BUILD, node, args, { env: childEnvironment(path.dirname(node)) });
}

/** Over names and contents of all that the dashboard is made of. */
function webDigest() {
  const hash = crypto.createHash("sha256");
  const add = (file) => {
    const bytes = fs.readFileSync(file);
    hash.update(`${path.relative(ROOT, file)}\0${bytes.length}\0`).update(bytes);
  };
  const walk = (directory) => {
    const entries = fs.readdirSync(directory, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const file = path.join(directory, entry.name);
      if (NO_WEB_SOURCE.test(entry.name)) continue;
      if (entry.isDirectory()) walk(file);
      else if (entry.isFile()) add(file);
    }
  };
  walk(WEB);
  add(path.join(ROOT, WEB_BUILD));
  return hash.digest("hex");
}

function isNewEnough(version) {
  const [major, minor] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_SYSTEM_NODE;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

function pinnedNode() {
  const isCovered = process.platform === "linux" && ["x64", "arm64"].includes(process.arch);
  if (!isCovered) {
    fail(
      `Node.js ${process.versions.node} is too old, and none is pinned for ${process.platform} ${process.arch}: ` +
        `install Node.js ${OLDEST_SYSTEM_NODE.join(".")} or newer and run this again`,
    );
  }
  return path.join(RUNTIME, "node_modules", `node-linux-${process.arch}`, "bin", "node");
}

function checkRuns(node) {
  const result = spawnSync(node, ["--version"], { stdio: "ignore" });
  if (result.status === 0) return;
  fail(
    `the pinned Node.js does not run on this system (it needs glibc): ` +
      `install Node.js ${OLDEST_SYSTEM_NODE.join(".")} or newer and run this again`,
  );
}

function isInstalled(directory) {
  const modules = path.join(directory, "node_modules");
  const entry = fs.lstatSync(modules, { throwIfNoEntry: false });
  if (entry === undefined) return false;
  if (entry.isSymbolicLink()) return true;
  try {
    return fs.readFileSync(path.join(modules, STAMP), "utf8") === lockDigest(directory);
  } catch {
    return false;
  }
}

function lockDigest(directory) {
  const lockFile = fs.readFileSync(path.join(directory, "package-lock.json"));
  return crypto.createHash("sha256").update(lockFile).digest("hex");
}

/** `npm ci`, silent when it succeeds. The stamp is written last: an interrupted installation counts as none. */
async function install(directory, what) {
  process.stderr.write(`claviger: ${what} (once, about 10 s) …\n`);
  const stamp = path.join(directory, "node_modules", STAMP);
  fs.rmSync(stamp, { force: true });
  const digest = lockDigest(directory);
  const flags = ["--include=dev", "--include=optional", "--no-audit", "--no-fund", "--no-update-notifier"];
  const beside = path.join(path.dirname(process.execPath), "npm");
  const npm = fs.existsSync(beside) ? beside : "npm";
  const env = childEnvironment(path.dirname(process.execPath));
  await runQuietly(`npm ci in ${directory}`, npm, ["ci", ...flags], { cwd: directory, env });
  fs.writeFileSync(stamp, digest);
}

/** Runs a program to its end, which says nothing unless it fails; throws then, with `isStopped` where a signal ended us too. */
function runQuietly(what, file, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    const stopForwarding = forwardSignals(child, FORWARDED);
    child.on("error", (error) => reject(new Error(`${file} could not be started (${error.message})`)));
    child.on("close", (code, signal) => {
      const isStopped = stopForwarding();
      const status = exitStatus(code, signal);
      if (status === 0) return resolve();
      process.stderr.write(Buffer.concat(chunks));
      reject(Object.assign(new Error(`${what} failed`), { exitStatus: status, isStopped }));
    });
  });
}

/**
 * Runs `work` while no other bootstrap of this checkout does. The holder touches a file every second; a lock
 * whose file has not been touched for 15 s was left by a killed process and is taken over.
 */
async function withLock(work) {
  await acquireLock();
  const release = () => fs.rmSync(LOCK, { recursive: true, force: true });
  const beat = setInterval(touchLock, BEAT_MS);
  process.on("exit", release);
  try {
    await work();
  } finally {
    clearInterval(beat);
    release();
    process.off("exit", release);
  }
}

async function acquireLock() {
  fs.mkdirSync(path.dirname(LOCK), { recursive: true });
  const deadline = Date.now() + LOCK_DEADLINE_MS;
  let hasTold = false;
  while (!tryLock()) {
    if (Date.now() > deadline) fail(`another start holds ${LOCK}; remove it if there is none`);
    if (!hasTold) process.stderr.write("claviger: waiting for another start to finish installing …\n");
    hasTold = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function tryLock() {
  try {
    fs.mkdirSync(LOCK);
    touchLock();
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return isLockStale() && takeOverLock();
  }
}

/** Only one waiter can make the inner directory, and it looks again before it believes the lock stale. */
function takeOverLock() {
  const claim = path.join(LOCK, "claim");
  try {
    fs.mkdirSync(claim);
  } catch {
    return false;
  }
  const beatAt = modifiedAt(BEAT);
  const isOurs = beatAt === undefined || Date.now() - beatAt > STALE_MS;
  if (isOurs) touchLock();
  fs.rmSync(claim, { recursive: true, force: true });
  return isOurs;
}

function touchLock() {
  try {
    fs.writeFileSync(BEAT, String(process.pid));
  } catch {
    // The lock was removed by hand; the installation that is under way goes on.
  }
}

function isLockStale() {
  const seenAt = modifiedAt(BEAT) ?? modifiedAt(LOCK);
  return seenAt !== undefined && Date.now() - seenAt > STALE_MS;
}

function modifiedAt(name) {
  return fs.statSync(name, { throwIfNoEntry: false })?.mtimeMs;
}

function runProgram(node, file, command) {
  const child = spawn(node, [...NODE_FLAGS.sources, file, ...command.args], {
    cwd: command.inRoot ? ROOT : process.cwd(),
    env: { ...childEnvironment(path.dirname(node)), ...command.env },
    stdio: "inherit",
  });
  // A terminal sends its Ctrl-C to the whole process group: passed on as well, it would count twice.
  const forwarded = process.stdin.isTTY ? FORWARDED.filter((name) => name !== "SIGINT") : FORWARDED;
  if (process.stdin.isTTY) process.on("SIGINT", () => {});
  forwardSignals(child, forwarded);
  child.on("error", (error) => fail(`${node} could not be started (${error.message})`));
  child.on("exit", (code, signal) => process.exit(exitStatus(code, signal)));
}

/** Until what it gives is called, which tells whether a signal came. */
function forwardSignals(child, names) {
  let hasCome = false;
  const handlers = names.map((name) => [
    name,
    () => {
      hasCome = true;
      child.kill(name);
    },
  ]);
  for (const [name, handler] of handlers) process.on(name, handler);
  return () => {
    for (const [name, handler] of handlers) process.off(name, handler);
    return hasCome;
  };
}

function exitStatus(code, signal) {
  return signal === null ? code : 128 + os.constants.signals[signal];
}

/** The environment of this process with `nodeDirectory` first on the path and without npm's own settings. */
function childEnvironment(nodeDirectory) {
  const kept = Object.entries(process.env).filter(([name]) => !/^npm_config_/i.test(name));
  const searchPath = [nodeDirectory, process.env.PATH].filter(Boolean).join(path.delimiter);
  return { NODE_COMPILE_CACHE: COMPILED, ...Object.fromEntries(kept), PATH: searchPath };
}

function usage() {
  fail(`usage: node bootstrap.cjs <${Object.keys(COMMANDS).join("|")}> [arguments]`, 64);
}

function fail(message, status = 1) {
  process.stderr.write(`claviger: ${message}\n`);
  process.exit(status);
}
