// Starts the viewer on the description of this gateway. Nothing is asked of any other host, and credentials that are
// typed in are forgotten with the page.
"use strict";

// words tells whether an operation has all words that were typed, in its path, id, summary or description.
function words(typed) {
  const wanted = typed.toLowerCase().split(/\s+/).filter(Boolean);
  return (tag, entry) => {
    const operation = entry.get("operation");
    const text = [tag, entry.get("method"), entry.get("path"), operation.get("operationId"), operation.get("summary"),
      operation.get("description")].join(" ").toLowerCase();
    return wanted.every((word) => text.includes(word));
  };
}

// search makes the filter look into operations: by itself it compares the names of tags only.
const search = () => ({
  fn: {
    opsFilter: (tagged, typed) => {
      const has = words(typed);
      return tagged
        .map((group, tag) => group.update("operations", (operations) => operations.filter((entry) => has(tag, entry))))
        .filter((group) => group.get("operations").size > 0);
    },
  },
});

SwaggerUIBundle({
  url: new URL("docs/openapi.json", document.baseURI).href,
  dom_id: "#reference",
  plugins: [search],
  validatorUrl: "none",
  deepLinking: true,
  filter: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 2,
  displayOperationId: true,
  displayRequestDuration: true,
  showExtensions: true,
  persistAuthorization: false,
});
