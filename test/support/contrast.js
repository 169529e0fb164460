// @ts-nocheck: a page has names that Node has not
// Evaluated in a page: the least contrast of any of its texts with what is behind it, by WCAG 2.2's definition.
(() => {
  const parts = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color) => {
    const [r, g, b] = parts(color).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    if (element === null) return "rgb(255, 255, 255)";
    const color = getComputedStyle(element).backgroundColor;
    return parts(color)[3] === 0 ? behind(element.parentElement) : color;
  };
  const texts = [...document.querySelectorAll("h1, h2, p, b, td, th, a, span")].filter(
    (element) => element.textContent.trim() !== "",
  );
  const contrast = (element) => {
    const both = [luminance(getComputedStyle(element).color), luminance(behind(element))];
    return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
  };
  return Math.min(...texts.map(contrast));
})();
