/* Calls to the product's own API: JSON both ways, readable failures, requests that can be given up. */

export class ApiError extends Error {
  constructor(status, body, retryAfter = 0) {
    super(body?.detail || `The server answered ${status}.`);
    this.status = status;
    this.body = body ?? {};
    this.errors = body?.errors ?? [];
    this.retryAfter = retryAfter;
  }
}

function csrfToken() {
  return document.querySelector("[data-csrf]")?.dataset.csrf
    || document.querySelector("input[name=csrfmiddlewaretoken]")?.value
    || "";
}

export async function call(method, url, { body, signal, headers = {} } = {}) {
  const options = { method, signal, credentials: "same-origin", headers: { Accept: "application/json", ...headers } };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  if (method !== "GET") options.headers["X-CSRFToken"] = csrfToken();
  const response = await fetch(url, options);
  const isJson = (response.headers.get("Content-Type") || "").includes("json");
  const data = isJson ? await response.json() : null;
  if (!response.ok) throw new ApiError(response.status, data, Number(response.headers.get("Retry-After")) || 0);
  return data;
}

export function query(url, parameters) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== undefined && item !== null && item !== "") search.append(name, item);
    }
  }
  const text = search.toString();
  return text ? `${url}?${text}` : url;
}
