//! Aligned columns for people.
//!
//! Every text that goes into a cell passes the terminal filter here, so that no command can forget
//! it: most of what is listed was written by a guest or a model.

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use crate::render::{DIM, plain};

/// Between two columns.
const GAP: &str = "  ";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    /// For numbers.
    Right,
}

/// One cell. Only the last one of a row keeps its line breaks; they are indented below it.
#[derive(Debug, Clone)]
pub struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub fn styled(text: impl AsRef<str>, style: Style) -> Self {
        Self { text: plain(text.as_ref()), style }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::styled(text, Style::new())
    }
}

/// A table; columns in which every cell is empty are not shown.
#[derive(Debug)]
pub struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Without any name there is no head.
    pub fn new(columns: &[(&'static str, Align)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row of as many cells as there are columns.
    pub fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        debug_assert_eq!(N, self.columns.len());
        self.rows.push(cells.into());
    }

    /// The text, with styles; empty without rows.
    pub fn render(mut self) -> String {
        self.flatten();
        let shown: Vec<usize> = (0..self.columns.len())
            .filter(|&column| self.cells(column).any(|cell| !cell.text.is_empty()))
            .collect();
        if shown.is_empty() {
            return String::new();
        }
        if self.columns.iter().any(|(name, _)| !name.is_empty()) {
            let head = self.columns.iter().map(|(name, _)| Cell::styled(name, DIM)).collect();
            self.rows.insert(0, head);
        }
        let widths: Vec<usize> = shown
            .iter()
            .map(|&column| self.cells(column).map(|cell| width(&cell.text)).max().unwrap_or(0))
            .collect();
        let before_last: usize = widths.iter().rev().skip(1).map(|width| width + GAP.len()).sum();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            // Padding is held back until something follows it: no line ends in blanks.
            let mut padding = 0;
            for (position, (&column, &width_of_column)) in shown.iter().zip(&widths).enumerate() {
                let (Some(cell), Some((_, align))) = (row.get(column), self.columns.get(column))
                else {
                    continue;
                };
                let missing = width_of_column.saturating_sub(width(&cell.text));
                let (left, right) = match align {
                    Align::Left => (0, missing),
                    Align::Right => (missing, 0),
                };
                padding += left;
                if !cell.text.is_empty() {
                    line.push_str(&" ".repeat(padding));
                    padding = 0;
                    let style = cell.style;
                    let last = position + 1 == shown.len();
                    let indented = format!("\n{}", " ".repeat(before_last));
                    let shown =
                        if last { cell.text.replace('\n', &indented) } else { cell.text.clone() };
                    line.push_str(&format!("{style}{shown}{style:#}"));
                }
                padding += right + GAP.len();
            }
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    fn cells(&self, column: usize) -> impl Iterator<Item = &Cell> {
        self.rows.iter().filter_map(move |row| row.get(column))
    }

    /// Line breaks only where they can be indented, and none at the end.
    fn flatten(&mut self) {
        for row in &mut self.rows {
            let last = row.len().saturating_sub(1);
            for (column, cell) in row.iter_mut().enumerate() {
                if column < last {
                    cell.text = cell.text.replace(['\n', '\t'], " ");
                } else {
                    cell.text = cell.text.trim_end().to_owned();
                }
            }
        }
    }
}

/// Columns of a terminal; of several lines the widest counts.
fn width(text: &str) -> usize {
    text.lines().map(UnicodeWidthStr::width).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain_text(table: Table) -> String {
        anstream::adapter::strip_str(&table.render()).to_string()
    }

    #[test]
    fn columns_are_aligned_and_empty_ones_are_left_out() {
        let columns = [
            ("ID", Align::Right),
            ("TAGS", Align::Left),
            ("WHO", Align::Left),
            ("TEXT", Align::Left),
        ];
        let mut table = Table::new(&columns);
        table.row(["7".into(), "".into(), "日本".into(), "one\ntwo\n".into()]);
        table.row(["123".into(), "".into(), "pi".into(), "three".into()]);
        table.row(["4".into(), "".into(), "".into(), "".into()]);
        assert_eq!(
            plain_text(table),
            " ID  WHO   TEXT\n  7  日本  one\n           two\n123  pi    three\n  4\n"
        );
    }

    #[test]
    fn nothing_of_a_guest_reaches_the_terminal() {
        let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
        table.row(["a\x1b[31m\nb".into(), "c\x1b]0;title\x07\u{202e}d".into()]);
        assert_eq!(table.render(), "a b  cd\n");
    }

    #[test]
    fn styles_take_no_room() {
        let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
        table.row([Cell::styled("x", crate::render::BOLD), "1".into()]);
        table.row(["long".into(), "2".into()]);
        assert_eq!(plain_text(table), "x     1\nlong  2\n");
    }

    #[test]
    fn without_rows_there_is_no_head() {
        assert_eq!(Table::new(&[("ID", Align::Left)]).render(), "");
    }
}
