// A button with data-copy puts that text on the clipboard, or the text of the element it names.
document.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-copy], [data-copy-from]');
  if (!button) return;
  const source = button.dataset.copyFrom;
  await navigator.clipboard.writeText(
    source ? document.getElementById(source).textContent.trim() : button.dataset.copy,
  );
  const word = button.querySelector('[data-word]');
  const before = word.textContent;
  word.textContent = 'Copied';
  setTimeout(() => { word.textContent = before; }, 1600);
});
