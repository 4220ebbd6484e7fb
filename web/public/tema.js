// Before the first paint: the colours that were chosen by hand, so that nothing flashes.
(function () {
  try {
    var theme = localStorage.getItem('alicerce.tema');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch (e) { /* storage is forbidden: the system's colours */ }
})();
