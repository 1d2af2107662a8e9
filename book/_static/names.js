// Buttons that the theme leaves without a name for a screen reader.
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("button, label.btn, a.btn")) {
    const named = button.textContent.trim() || button.getAttribute("aria-label") || button.title;
    if (!named) {
      const tip = button.dataset.bsOriginalTitle || button.dataset.bsTitle;
      const known = button.className.includes("search") ? "Search" : button.className.includes("sidebar") ? "Menu" : "";
      button.setAttribute("aria-label", tip || known || "Button");
    }
  }
});
