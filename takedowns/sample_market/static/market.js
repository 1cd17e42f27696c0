// The live theme: nothing of a listing is in the page until this has run. Sellers' text is only ever set as text.
"use strict";

const app = document.getElementById("app");

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function link(className, text, href) {
  const made = element("a", className, text);
  made.href = href;
  return made;
}

function showNotice() {
  app.replaceChildren(element("p", "notice-gone", "很抱歉，您查看的商品不存在，可能已下架或者被转移"));
}

function attributeTable(attributes) {
  const table = element("table", "attributes", "");
  for (const [name, value] of Object.entries(attributes)) {
    const row = table.insertRow();
    row.append(element("th", "", name), element("td", "", value));
  }
  return table;
}

function shopLink(shop) {
  const made = link("shop-name", shop.name, shop.path);
  made.dataset.shopId = shop.id;
  made.dataset.shopKind = shop.kind;
  return made;
}

function showItem(item, soldOut) {
  const article = element("article", "", "");
  article.dataset.itemId = item.id;
  const photo = element("img", "photo", "");
  photo.src = item.photo;
  photo.alt = "";
  article.append(
    element("h1", "title", item.title),
    photo,
    element("p", "price", item.price),
    shopLink(item.shop),
    soldOut ? element("p", "sold-out", "已售罄") : element("button", "add-cart", "加入购物车"),
    element("div", "description", item.description),
    attributeTable(item.attributes),
  );
  app.replaceChildren(article);
  document.title = item.title;
}

function showResults(term, found) {
  if (found.items.length === 0) {
    app.replaceChildren(element("p", "no-results", `没有找到与“${term}”相关的商品`));
    return;
  }
  const list = element("ul", "offers", "");
  for (const item of found.items) {
    const line = element("li", "", "");
    line.append(link("item-link", item.title, item.path), element("span", "list-price", item.price));
    list.append(line);
  }
  app.replaceChildren(element("p", "total", `共 ${found.total} 件商品`), list);
  if (found.has_next) {
    const next = link("", "下一页", `/live/search?${new URLSearchParams({ q: term, page: found.page + 1 })}`);
    next.rel = "next";
    app.append(next);
  }
}

async function search() {
  const asked = new URLSearchParams(location.search);
  const term = asked.get("q") ?? "";
  const query = new URLSearchParams({ q: term, page: asked.get("page") ?? "1" });
  const response = await fetch(`/live/api/search?${query}`);
  showResults(term, await response.json());
}

async function item() {
  const id = location.pathname.match(/\/item\/([^/]+)\.html$/)[1];
  const response = await fetch(`/live/api/item/${id}`);
  const answer = await response.json();
  if (answer.item === null) {
    showNotice();
  } else {
    showItem(answer.item, answer.sold_out);
  }
}

(app.dataset.view === "search" ? search() : item()).catch((error) => {
  app.replaceChildren(element("p", "load-error", `加载失败：${error.message}`));
});
