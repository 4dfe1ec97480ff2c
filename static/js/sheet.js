// Opens the side sheet when a fragment has come into it; the browser's own dialog does the rest. And sends forms that
// consist of one choice as soon as it is made.
"use strict";
document.addEventListener("htmx:afterSwap", (event) => {
  const sheet = document.getElementById("sheet");
  if (sheet && event.detail.target.id === "sheet-body" && !sheet.open) sheet.showModal();
});
document.addEventListener("click", (event) => {
  if (event.target.id === "sheet") event.target.close();
});
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-submits]");
  if (form) form.requestSubmit();
});
