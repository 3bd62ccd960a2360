import { describe, expect, it } from 'vitest';
import { parseTemplate } from '../../../src/mail/templates/parse-template.ts';
import { renderTemplate } from '../../../src/mail/templates/render-template.ts';
import { TemplateFault } from '../../../src/mail/templates/template-node.ts';

const data = {
  user: { name: 'Zoë', vip: true, 'first-name': 'Z', phone: null },
  count: 3,
  items: [
    { name: 'Tea', price: 2.5 },
    { name: 'Milk', price: 1 },
  ],
  empty: [],
  zero: 0,
};

function render(source: string, more: Record<string, unknown> = {}, escape = (text: string) => text): string {
  const translations: Record<string, string> = {
    'Hello %(name)s': 'Cześć, %(name)s',
    '%(num)d apple': '%(num)d jabłka',
    'menu|Open': 'Otwórz',
    'gone %(other)s': '%(missing)s',
  };
  return renderTemplate({
    nodes: parseTemplate(source),
    data: { ...data, ...more },
    escape,
    findTranslation: ({ msgid, context }) =>
      translations[context === undefined ? msgid : `${context}|${msgid}`],
  });
}

function faultOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof TemplateFault) return `${error.line}: ${error.message}`;
    throw error;
  }
  return 'none';
}

describe('a template', () => {
  it.each([
    ['Hello {{ user.name }}!', 'Hello Zoë!'],
    ['{{user.name}}{{ count }}', 'Zoë3'],
    ['{{ items[1].name }} {{ user["first-name"] }} {{ items.length }}', 'Milk Z 2'],
    ['{{ "a }} b" }} {{ \'{% x %}\' }} {{ 1.5 }} {{ true }}', 'a }} b {% x %} 1.5 true'],
    ['{{ "{{" }} and { % and {} stay', '{{ and { % and {} stay'],
    ['{% if user.vip %}yes{% else %}no{% endif %}', 'yes'],
    ['{% if zero %}a{% elif count == 3 %}b{% else %}c{% endif %}', 'b'],
    ['{% if not zero and (count != 3 or user.vip) %}a{% endif %}', 'a'],
    ['{% if user.phone %}a{% else %}b{% endif %}', 'b'],
    ['{% if nobody is defined %}a{% endif %}{% if user.name is not defined %}b{% endif %}', ''],
    ['{% if nobody is not defined %}a{% endif %}', 'a'],
    [
      '{% for item in items %}{{ loop.index }}. {{ item.name }}{% if not loop.last %}, {% endif %}{% endfor %}',
      '1. Tea, 2. Milk',
    ],
    ['{% for item in empty %}a{% else %}nothing{% endfor %}', 'nothing'],
    [
      '{% for a in items %}{% for b in items %}{{ a.name }}{{ b.price }} {% endfor %}{% endfor %}',
      'Tea2.5 Tea1 Milk2.5 Milk1 ',
    ],
    ['{# a {{ comment }} #}x', 'x'],
    ['a\n  {% if user.vip %}  \nb\n{% endif %}\nc\n', 'a\nb\nc\n'],
    ['a\r\n{# x #}\r\nb', 'a\r\nb'],
    ['a {% if user.vip %}\nb{% endif %}\n', 'a \nb\n'],
  ])('%j is filled in as %j', (source, expected) => {
    expect(render(source)).toBe(expected);
  });

  it.each([
    ['a\n{{ user.nmae }}', '2: uses "user.nmae", which the data does not have; did it mean "name"?'],
    ['{{ user.name.first }}', '1: uses "user.name.first", which the data does not have'],
    ['{% if nobody %}{% endif %}', '1: uses "nobody", which the data does not have'],
    ['{{ user.constructor }}', '1: uses "user.constructor", which the data does not have'],
    ['{{ __proto__ }}', '1: uses "__proto__", which the data does not have'],
    ['{{ toString }}', '1: uses "toString", which the data does not have'],
    ['{{ user.phone }}', '1: prints "user.phone", which is null'],
    ['{{ items }}', '1: prints "items", which is a list or an object, and cannot be printed'],
    ['{% for a in user %}{% endfor %}', '1: repeats for "a" what is not a list'],
    ['a\n\n{{ user.name', '3: has a {{ that is not closed'],
    ['{% if a', '1: has a {% that is not closed'],
    ['{# a', '1: has a {# that is not closed'],
    ['\n{% if count %}\na', '2: opens a block that no {% endif %} closes'],
    ['{% for a in items %}', '1: opens a block that no {% endfor %} closes'],
    ['{% if count %}\n{% endfor %}', '2: has {% endfor %} where {% endif %} was expected'],
    ['{% if count %}{% else %}{% else %}{% endif %}', '1: has {% else %} where {% endif %} was expected'],
    ['a{% endif %}', '1: has {% endif %} that belongs to nothing'],
    [
      '{% include "x" %}',
      '1: has {% include "x" %}, and only if, elif, else, endif, for and endfor are known',
    ],
    ['{{ }}', '1: ends too early'],
    ['{{ a b }}', '1: has "b" where it cannot stand'],
    ['{{ a | safe }}', '1: has "|" where it cannot stand'],
    ['{{ (a }}', '1: ends too early, and ")" was expected'],
    [
      '{{ require("fs") }}',
      '1: calls "require", and only _, gettext, ngettext, pgettext, npgettext can be called',
    ],
    ['{{ ngettext("a", "b") }}', '1: gives ngettext 2 arguments without a name, and it takes 3'],
    ['{{ ngettext("a", "b", "c") }}', '1: gives ngettext something else than two texts and a number'],
    ['{{ _(count) }}', '1: gives _ no text'],
    [
      '{{ _("gone %(other)s", other=1) }}',
      '1: translates "gone %(other)s" to a text with %(missing)s, which the template does not give',
    ],
  ])('%j is faulty, and the fault says where and what', (source, expected) => {
    expect(faultOf(() => render(source))).toBe(expected);
  });

  it('escapes what is filled in, and not its own text', () => {
    const escape = (text: string) => text.replaceAll('<', '&lt;');
    const source = '<b>{{ x }}</b>{{ _("Hello %(name)s", name=x) }}{{ _("<i>%(name)s</i>", name=x) }}';
    expect(render(source, { x: '<x>' }, escape)).toBe('<b>&lt;x></b>Cześć, &lt;x><i>&lt;x></i>');
  });

  it('translates by gettext’s functions, with the text itself where there is no translation', () => {
    expect(render('{{ _("Hello %(name)s", name=user.name) }}')).toBe('Cześć, Zoë');
    expect(render('{{ ngettext("%(num)d apple", "%(num)d apples", count) }}')).toBe('3 jabłka');
    expect(render('{{ pgettext("menu", "Open") }} {{ gettext("100%") }} {{ _("50%% of %(a)s", a=1) }}')).toBe(
      'Otwórz 100% 50% of 1',
    );
    expect(
      render('{{ ngettext("one", "%(num)s of them", 1) }}{{ npgettext("x", "one", "%(num)s", 2) }}'),
    ).toBe('one2');
  });

  it('cannot keep everybody waiting', () => {
    const list = Array.from({ length: 2000 }, () => 1);
    const loops = '{% for a in list %}{% for b in list %}{% if a %}{% endif %}{% endfor %}{% endfor %}';
    expect(faultOf(() => render(loops, { list }))).toMatch(/million things/);
    const big = 'x'.repeat(100_000);
    expect(faultOf(() => render('{% for a in list %}{{ big }}{% endfor %}', { list, big }))).toMatch(
      /5 million characters/,
    );
  });
});
