/** The link page, `/j/{code}`: for the channels where the chat lives somewhere else. */

import { applyAccent, embedding } from "../branding";
import { Flow } from "../call/flow";
import { expose } from "../diagnostics";
import { byId } from "../dom";
import { codeOf } from "./code";

expose();
applyAccent(embedding().accent);

const code = codeOf(location.pathname);
const flow = new Flow({
  root: byId("stage"),
  code,
  url: location.origin + location.pathname,
  chat: null,
  close: null,
});
void flow.start();
