import { expect, test } from 'vitest';
import { stem } from '../../../core/text/stem.ts';
import { contentStems } from '../../../core/text/words.ts';

test.each(
  // The examples of Porter's paper, step by step.
  `caresses:caress ponies:poni ties:ti caress:caress cats:cat feed:feed agreed:agre plastered:plaster bled:bled motoring:motor
  sing:sing conflated:conflat troubled:troubl sized:size hopping:hop tanned:tan falling:fall hissing:hiss fizzed:fizz failing:fail
  filing:file happy:happi sky:sky relational:relat conditional:condit rational:ration valenci:valenc digitizer:digit
  conformabli:conform radicalli:radic differentli:differ vileli:vile analogousli:analog vietnamization:vietnam predication:predic
  operator:oper feudalism:feudal decisiveness:decis hopefulness:hope callousness:callous formaliti:formal sensitiviti:sensit
  sensibiliti:sensibl triplicate:triplic formative:form formalize:formal electriciti:electr electrical:electr hopeful:hope
  goodness:good revival:reviv allowance:allow inference:infer airliner:airlin gyroscopic:gyroscop adjustable:adjust
  defensible:defens irritant:irrit replacement:replac adjustment:adjust dependent:depend adoption:adopt homologou:homolog
  communism:commun activate:activ angulariti:angular homologous:homolog effective:effect bowdlerize:bowdler probate:probat
  rate:rate cease:ceas controll:control roll:roll`
    .split(/\s+/)
    .map((pair) => pair.split(':')),
)('stems %s to %s', (word, expected) => {
  expect(stem(word ?? '')).toBe(expected);
});

test('leaves out what carries no meaning, and takes compounds apart', () => {
  expect(contentStems("How do I raise the rateLimit of a rate-limited key? It's v1.2!")).toEqual([
    'rais',
    'rate',
    'limit',
    'rate',
    'limit',
    'kei',
    'v1.2',
  ]);
});

test('takes Chinese and Japanese in pairs of characters', () => {
  expect(contentStems('数据库 備')).toEqual(['数据', '据库', '備']);
});
