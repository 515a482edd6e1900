# What agents' scripts do: text into records, records into JSON and back, patterns over lines, counting.
import collections, json, re

lines = [f"2026-01-{i % 28 + 1:02} host{i % 17} user={i * 7 % 101} took {i * 13 % 997} ms status={200 + i % 5}" for i in range(4000)]
pattern = re.compile(r"(?P<day>\d+-\d+-\d+) (?P<host>\w+) user=(?P<user>\d+) took (?P<ms>\d+) ms status=(?P<status>\d+)")
records = [pattern.match(line).groupdict() for line in lines]
records = json.loads(json.dumps(records, indent=1, sort_keys=True))
totals = collections.Counter()
for record in records:
    totals[record["host"], record["status"]] += int(record["ms"])
words = collections.defaultdict(list)
for number, line in enumerate(lines):
    for word in line.split():
        words[word].append(number)
text = re.sub(r"host(\d+)", lambda found: f"<{int(found[1]) * 3}>", "\n".join(lines))
print(sorted(totals.items())[:2], len(words), hash(len(text)), sum(map(len, words.values())))
