// Runs where modules do not: in a page that was opened from the disk, whose parts browsers do not load.

if (location.protocol === "file:") {
  const failure = document.getElementById("failure");
  failure.textContent =
    "This page was opened as a file, from which browsers load no model. Serve its folder: kgan serve-page FOLDER";
  failure.hidden = false;
  document.getElementById("loading").hidden = true;
}
