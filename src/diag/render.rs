//! Diagnostics as text for people and as JSON for tools.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level as Shown, Renderer, Snippet};

use super::{Diagnostic, Files, Level, Span};

/// Renders diagnostics as a compiler would, in the order of their places: as
/// many as `most`, and how many more there are.
#[must_use]
pub fn render_first(diagnostics: &[Diagnostic], files: &Files, color: bool, most: usize) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut shown: Vec<String> = in_order(diagnostics)
        .into_iter()
        .take(most)
        .map(|diagnostic| renderer.render(&report(diagnostic, files)).clone() + "\n")
        .collect();
    if diagnostics.len() > most {
        shown.push(format!("and {} more\n", diagnostics.len().saturating_sub(most)));
    }
    shown.join("\n")
}

/// Renders all diagnostics.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], files: &Files, color: bool) -> String {
    render_first(diagnostics, files, color, usize::MAX)
}

/// Diagnostics in the order in which they are shown: errors first, then by place.
#[must_use]
pub fn in_order(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let mut sorted: Vec<_> = diagnostics.iter().collect();
    sorted.sort_by(|a, b| (a.level, a.span, a.code, &a.message).cmp(&(b.level, b.span, b.code, &b.message)));
    sorted
}

fn report<'a>(diagnostic: &'a Diagnostic, files: &'a Files) -> Vec<Group<'a>> {
    let level = match diagnostic.level {
        Level::Error => Shown::ERROR,
        Level::Warning => Shown::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
    let mut group = match snippet(diagnostic.span, &diagnostic.label, files) {
        Some((source, path, range, label)) => {
            let mut snippet =
                Snippet::source(source).path(path).annotation(AnnotationKind::Primary.span(range).label(label));
            for (span, label) in &diagnostic.related {
                if span.file == diagnostic.span.file
                    && let Some((_, _, range, label)) = self::snippet(*span, label, files)
                {
                    snippet = snippet.annotation(AnnotationKind::Context.span(range).label(label));
                }
            }
            title.element(snippet)
        }
        None => Group::with_title(title),
    };
    for (span, label) in &diagnostic.related {
        if span.file != diagnostic.span.file
            && let Some((source, path, range, label)) = snippet(*span, label, files)
        {
            group = group.element(
                Snippet::source(source).path(path).annotation(AnnotationKind::Context.span(range).label(label)),
            );
        }
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Shown::HELP.message(help.as_str()));
    }
    if let Some(example) = &diagnostic.example {
        group = group.element(Shown::NOTE.message(format!("shown by {example}")));
    }
    vec![group]
}

type Shape<'a> = (&'a str, &'a str, std::ops::Range<usize>, &'a str);

fn snippet<'a>(span: Span, label: &'a str, files: &'a Files) -> Option<Shape<'a>> {
    let (name, text) = files.get(span.file)?;
    // Whole characters: what is drawn under a part of one makes the library panic.
    let start = text.floor_char_boundary(span.start as usize);
    let end = text.ceil_char_boundary(span.end as usize).max(start);
    Some((text, name, start..end, label))
}

/// Diagnostics as a JSON array: level, code, message, file, line, column, help.
#[must_use]
pub fn to_json(diagnostics: &[Diagnostic], files: &Files) -> serde_json::Value {
    in_order(diagnostics)
        .into_iter()
        .map(|diagnostic| {
            let (file, line, column) = files.position(diagnostic.span).unwrap_or(("", 0, 0));
            serde_json::json!({
                "level": diagnostic.level,
                "code": diagnostic.code,
                "message": diagnostic.message,
                "file": file,
                "line": line,
                "column": column,
                "label": diagnostic.label,
                "help": diagnostic.help,
                "example": diagnostic.example,
            })
        })
        .collect()
}
