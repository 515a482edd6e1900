// Stands in for pi's image conversion and resizing, which need a native library. Images go to the
// model as they are; a format that models do not take is left out with pi's own note.

export const convertImageBytesToPng = async () => null;
export const resizeImage = async () => null;
export const formatDimensionNote = () => undefined;
