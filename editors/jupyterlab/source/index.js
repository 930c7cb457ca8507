/**
 * TissLang in JupyterLab: `.tiss` files, and code cells that begin with `%%tiss`.
 */
import { IEditorExtensionRegistry, IEditorLanguageRegistry } from "@jupyterlab/codemirror";
import { LabIcon } from "@jupyterlab/ui-components";

import css from "./colours.raw.css";
import { cellExtension, fileSupport } from "./language.js";
import svgstr from "./tisslang.svg";

const MIME_TYPE = "text/x-tisslang";
const icon = new LabIcon({ name: "tisslang:plan", svgstr });

const plugin = {
  id: "@quantatissu/tisslang:colours",
  description: "Colours for TissLang.",
  autoStart: true,
  requires: [IEditorLanguageRegistry, IEditorExtensionRegistry],
  activate: (app, languages, extensions) => {
    const style = document.createElement("style");
    style.textContent = css;
    document.head.append(style);
    app.docRegistry.addFileType({
      name: "tisslang",
      displayName: "TissLang plan",
      extensions: [".tiss"],
      mimeTypes: [MIME_TYPE],
      icon,
    });
    languages.addLanguage({
      name: "TissLang",
      alias: ["tiss"],
      mime: MIME_TYPE,
      extensions: ["tiss"],
      support: fileSupport,
    });
    extensions.addExtension({
      name: "@quantatissu/tisslang:cell",
      // Only cells have a type; a Python file that begins with %%tiss stays Python.
      factory: ({ model }) =>
        model.type === "code" ? { instance: () => cellExtension, reconfigure: () => null } : null,
    });
  },
};

export default plugin;
