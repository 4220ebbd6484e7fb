import { describe, expect, it } from 'vitest';
import { fieldOf, jsonTrouble, memberText, opensAtFirst, parseJson, type JsonBranch, type JsonNode } from './parse';

function write(node: JsonNode): string {
  if (node.kind === 'object') return `{${node.items.map(({ key, node: one }) => `${JSON.stringify(key)}:${write(one)}`).join(',')}}`;
  if (node.kind === 'array') return `[${node.items.map(({ node: one }) => write(one)).join(',')}]`;
  return node.kind === 'string' ? JSON.stringify(node.text) : node.text;
}
const again = (text: string): string | null => {
  const node = parseJson(text);
  return node && write(node);
};

describe('parseJson', () => {
  it('keeps what JSON.parse loses: digits, order, members of one name', () => {
    for (const text of ['12345678901234567890', '{"2":1,"1":2}', '{"a":1,"a":2}', '1.10', '{"__proto__":{"x":1}}', '-0', '1e400']) {
      expect(again(text)).toBe(text);
    }
  });

  it('reads every kind of value, and texts with marks in them', () => {
    for (const text of ['{}', '[]', '""', 'null', '[true,false,null,-1.5e-7]', '{"a":{"b":[{"c":"}{][,:\\"\\\\"}]}}', '{"a:":":","":""}', '["a",":"]', '"\\u0000\\ud83d"']) {
      expect(again(text)).toBe(text);
    }
    expect(again(' { "a" :\n [ 1 , 2 ] } ')).toBe('{"a":[1,2]}');
  });

  it('refuses what is none', () => {
    for (const text of ['', '{', 'abc', '{"a":1,}', "{'a':1}", '01', '[1 2]', '{"a"}']) expect(parseJson(text)).toBeNull();
  });

  it('counts, and survives great depth and width', () => {
    expect(parseJson('{"a":[1,2],"b":{}}')?.size).toBe(5);
    const deep = parseJson('['.repeat(5000) + ']'.repeat(5000));
    expect(deep?.size).toBe(5000);
    const wide = parseJson(`[${'1,'.repeat(99_999)}1]`) as JsonBranch;
    expect(wide.size).toBe(100_001);
    expect(opensAtFirst(wide, 0)).toBe(true);
    expect(opensAtFirst(wide, 1)).toBe(false);
  });
});

it('takes a member out as it was written', () => {
  const text = '{"id": 1, "x": {"conteudo": 5}, "conteudo" : {"value": {"id": 90071992547409931, "n": [1.10, {"a": "}"}]}} , "b": [ ]}';
  expect(memberText(text, 'conteudo')).toBe('{"value": {"id": 90071992547409931, "n": [1.10, {"a": "}"}]}}');
  expect(memberText(text, 'id')).toBe('1');
  expect(memberText(text, 'b')).toBe('[ ]');
  expect(memberText('{"a":"a","b":{"a":1}}', 'a')).toBe('"a"');
  expect(memberText('{"a":"b","b":null}', 'b')).toBe('null');
  expect(memberText('{"a":{}}', 'a')).toBe('{}');
  expect(memberText('{"a":90071992547409931}', 'a')).toBe('90071992547409931');
  expect(memberText(text, 'value')).toBeNull();
  for (const other of ['', '[{"a":1}]', '{"a"', '"a"', '{}']) expect(memberText(other, 'a')).toBeNull();
});

it('takes a text of three MiB', () => {
  const long = JSON.stringify({ a: 'x'.repeat(3 << 20), b: '"'.repeat(1 << 20) });
  expect(parseJson(long)?.size).toBe(3);
  expect(memberText(long, 'b')).toHaveLength((2 << 20) + 2);
});

it('says where a text stops being JSON', () => {
  expect(jsonTrouble('{"a":1}')).toBeNull();
  expect(jsonTrouble('{\n  "a": x\n}')).toEqual({ line: 2, column: 8 });
  expect(jsonTrouble('{\n  "a": 1')).toEqual({ line: 2, column: 9 });
  expect(jsonTrouble('{"a":1,}')).toEqual({ line: 1, column: 8 });
  expect(jsonTrouble('[1 2]')).toEqual({ line: 1, column: 4 });
  expect(jsonTrouble('[1}')).toEqual({ line: 1, column: 3 });
  expect(jsonTrouble('[]\n[]')).toEqual({ line: 2, column: 1 });
  expect(jsonTrouble('{"a": "x\ny"}')).toEqual({ line: 1, column: 7 });
});

it('names fields as the API finds them', () => {
  const at = (path: string): string | null => {
    const parts = path.split('/');
    return fieldOf(parts, parts.map((part) => /^\d+$/.test(part)));
  };
  expect(at('entry/0/changes/1/value/form_id')).toBe('form_id');
  expect(at('entry/0/ids/3')).toBe('ids');
  expect(at('0')).toBeNull();
  expect(at('value/a.b')).toBeNull();
});
