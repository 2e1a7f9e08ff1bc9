/** The files a page needs beside its HTML, each under a name that changes with its content. */
import { createHash } from 'node:crypto';
import { bundledAsset } from './bundled-assets.js';

export type Asset = { readonly path: string; readonly contentType: string; readonly content: string };

const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#2347a6"/>' +
  '<path d="M7 11.5 16 18l9-6.5V22H7z" fill="#fff"/><path d="M7 9h18l-9 6.5z" fill="#b9cbff"/></svg>';

export const assets = {
  style: asset('style', 'css', 'text/css; charset=utf-8', bundledAsset('style.css')),
  script: asset('refresh', 'js', 'text/javascript; charset=utf-8', bundledAsset('refresh.js')),
  icon: asset('icon', 'svg', 'image/svg+xml', icon),
};

function asset(name: string, extension: string, contentType: string, content: string): Asset {
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 12);
  return { path: `/assets/${name}-${hash}.${extension}`, contentType, content };
}
