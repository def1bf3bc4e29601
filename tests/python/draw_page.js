// node draw_page.js PAGE.html: runs the script of a report's page over a small DOM, and prints what it draws as HTML.
"use strict";
const html = require("fs").readFileSync(process.argv[2], "utf8");
const [, data, script] = html.match(/<script id="data"[^>]*>(.*?)<\/script>\s*<script>(.*?)<\/script>/s);
const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.codePointAt(0)};`);
const VOID = ["img", "br", "line", "circle", "rect"];

class Element {
  constructor(name) {
    this.name = name;
    this.attributes = "";
    this.children = [];
  }
  setAttribute(key, value) {
    this.attributes += ` ${key}="${escaped(value)}"`;
  }
  append(...children) {
    this.children.push(...children);
  }
  toString() {
    const inside = this.children.map((child) => (child instanceof Element ? child : escaped(child))).join("");
    return `<${this.name}${this.attributes}>${inside}` + (VOID.includes(this.name) ? "" : `</${this.name}>`);
  }
}

globalThis.document = {
  title: "",
  body: new Element("body"),
  createElement: (name) => new Element(name),
  createElementNS: (_, name) => new Element(name),
  getElementById: () => ({ textContent: data }),
};
require("vm").runInThisContext(script);
console.log(`<title>${escaped(document.title)}</title>${document.body}`);
