// @ts-nocheck: the script uses globals of a browser
// Runs in a page and returns the lowest contrast between a text and its background, as WCAG 2.2 defines it.
(() => {
  const parts = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color) => {
    const [r, g, b] = parts(color).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (element) => {
    if (element === null) return "rgb(255, 255, 255)";
    const color = getComputedStyle(element).backgroundColor;
    return parts(color)[3] === 0 ? background(element.parentElement) : color;
  };
  const texts = [...document.querySelectorAll("h1, h2, p, b, td, th, a, span")].filter(
    (element) => element.textContent.trim() !== "",
  );
  const contrast = (element) => {
    const luminances = [luminance(getComputedStyle(element).color), luminance(background(element))];
    return (Math.max(...luminances) + 0.05) / (Math.min(...luminances) + 0.05);
  };
  return Math.min(...texts.map(contrast));
})();
