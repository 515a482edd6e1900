# Runs one module of Python's tests of itself and prints the outcome of each test, in order and without
# anything that is different in each run. What the tests print themselves is thrown away.
import os, re, sys, unittest, warnings

out = os.fdopen(os.dup(1), "w")
nowhere = os.open(os.devnull, os.O_RDWR)
os.dup2(nowhere, 1)
os.dup2(nowhere, 2)

from test import support

# Without network, large files and what takes minutes.
support.use_resources = []
support.verbose = 0
warnings.simplefilter("ignore")


def stable(text):
    text = re.sub(r"0x[0-9a-fA-F]{6,}", "0x", str(text).strip().splitlines()[-1] if str(text).strip() else "")
    return re.sub(r"@?test_\d+_\w*|/tmp/\w+|\d{4,}", "*", text)[:300]


class Outcomes(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.lines = []

    def add(self, test, outcome, why=""):
        self.lines.append(f"{test.id()}: {outcome} {stable(why)}".rstrip())

    def addSuccess(self, test):
        self.add(test, "ok")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.add(test, "FAILED", self.failures[-1][1])

    def addError(self, test, error):
        super().addError(test, error)
        self.add(test, "ERROR", self.errors[-1][1])

    def addSkip(self, test, reason):
        self.add(test, "skipped", reason)

    def addExpectedFailure(self, test, error):
        self.add(test, "failed as expected")

    def addUnexpectedSuccess(self, test):
        self.add(test, "UNEXPECTED")

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.add(subtest, "FAILED", repr(error[1]))


outcomes = Outcomes()
try:
    unittest.defaultTestLoader.loadTestsFromName(f"test.{sys.argv[1]}").run(outcomes)
except unittest.SkipTest as skipped:
    outcomes.lines.append(f"skipped {skipped}")
print(*sorted(outcomes.lines), f"{outcomes.testsRun} tests", sep="\n", file=out)
out.flush()
os._exit(len(outcomes.failures) + len(outcomes.errors) > 0)
