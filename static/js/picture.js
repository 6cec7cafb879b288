// A chosen picture is made small before it is sent: photos of a phone are larger than what is taken.

const SIDE = 1024;

const input = document.querySelector("input[type=file][data-picture]");

const smaller = async (file) => {
  const image = await createImageBitmap(file);
  const scale = Math.min(1, SIDE / Math.min(image.width, image.height));
  if (scale === 1 && file.size < Number(input.dataset.picture)) return null;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(image.width * scale);
  canvas.height = Math.round(image.height * scale);
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/webp", 0.9));
};

input?.addEventListener("change", async () => {
  const [file] = input.files;
  if (!file) return;
  const button = input.form.querySelector("button");
  button.disabled = true;
  try {
    const blob = await smaller(file);
    if (blob && input.files[0] === file) {
      const made = new DataTransfer();
      made.items.add(new File([blob], "picture.webp", { type: blob.type }));
      input.files = made.files;
    }
  } catch {
    // What the browser cannot read, the server says what is wrong with.
  } finally {
    button.disabled = false;
  }
});
