import { GraphiQL } from "graphiql";
import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import { createRoot } from "react-dom/client";
import { CredentialBar } from "./CredentialBar";
import { EXAMPLES, HEADERS_HELP } from "./examples";
import "./explorer.css";
import { fetcher } from "./fetcher";

// GraphiQL reads the first tab's variables from here and not from `defaultTabs`; with stored tabs
// it must be left alone, or a reload would open one tab more.
const isFirstVisit = sessionStorage.getItem("graphiql:tabState") === null;

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <>
    <CredentialBar />
    <main>
      <GraphiQL
        fetcher={fetcher}
        // Variables hold passwords: like the credential, they end with the browser tab.
        storage={sessionStorage}
        defaultTabs={EXAMPLES}
        defaultHeaders={HEADERS_HELP}
        initialVariables={isFirstVisit ? EXAMPLES[0].variables : undefined}
        defaultEditorToolsVisibility="variables"
        inputValueDeprecation
        schemaDescription
      />
    </main>
  </>,
);
