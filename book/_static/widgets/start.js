// The widgets' modules lie beside this file; by itself RequireJS looks beside the page.
requirejs.config({ baseUrl: new URL(".", document.currentScript.src).href });
