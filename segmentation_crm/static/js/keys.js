/* Keys without Ctrl or Cmd can be switched off on a device (WCAG 2.1.4); every script that listens to one asks here. */
const NAME = "crm-single-keys";

export function keysAreOn() {
  try {
    return window.localStorage.getItem(NAME) !== "off";
  } catch {
    return true;
  }
}

export function setKeysOn(on) {
  try {
    window.localStorage.setItem(NAME, on ? "on" : "off");
  } catch {
    // storage may be blocked: the keys then stay as they are
  }
}

export function isTyping(element) {
  return (
    element instanceof HTMLElement && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName) || element.closest("[role=textbox], .ts-control") !== null)
  );
}
