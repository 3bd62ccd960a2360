import { expect, it } from 'vitest';
import { html, printMarkup } from '../../../src/report/html/markup.ts';

it('escapes every value, in text and in attributes, and takes its own markup as it is', () => {
  const hostile = `"><script>alert('1')</script>&amp;`;
  expect(printMarkup(html`<p title="${hostile}">${hostile}${[html`<b>${1}</b>`, undefined]}</p>`)).toBe(
    '<p title="&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;">' +
      '&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;<b>1</b></p>',
  );
});

it('shows control characters, halves of characters and changes of direction as a replacement', () => {
  expect(printMarkup(html`${'a\u0000\u001b[31m\u202eb\ud800'}`)).toBe('a\ufffd\ufffd[31m\ufffdb\ufffd');
});
