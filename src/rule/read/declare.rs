//! What a package declares beside its rules: metadata, sources, components,
//! words and value sets.

use rust_decimal::Decimal;

use super::NEWER_FORMAT;
use super::form::{Form, Reader, decimal};
use crate::clinical::concept::{ConceptDef, IcdEntry};
use crate::diag::Diagnostic;
use crate::rule::model::{
    Answer, Approach, Ask, Component, Concept, Meta, Name, Question, ScopeDecl, Source, SourceAttribute, Spanned,
    Substance, Word,
};
use crate::rule::shape::{self, FORMAT};
use crate::rule::yaml::{Kind, Node};

impl Reader {
    fn format(&mut self, node: &Node) {
        let Some(text) = self.text(node) else { return };
        match text.parse::<u32>() {
            Ok(FORMAT) => {}
            Ok(newer) if newer > FORMAT => {
                let message = format!("the package is of format {newer}, and this program reads format {FORMAT}");
                let fault = Diagnostic::error(NEWER_FORMAT, node.span, message);
                self.fault(fault.help("use a newer version of Concord, or a package of this format"));
            }
            _ => {
                let message = format!("`{}` is not the format of a package", text.value);
                let fault = Diagnostic::error("malformed-number", node.span, message);
                self.fault(fault.help(format!("write `format: {FORMAT}`, or leave it out")));
            }
        }
    }

    fn source_attribute(&mut self, form: &mut Form<'_>) -> Option<SourceAttribute> {
        let node = form.take("source_attribute")?;
        self.word(node, "a source attribute", shape::SOURCE_ATTRIBUTES)
    }

    /// Reads the metadata.
    pub fn meta(&mut self, node: &Node) -> Option<Meta> {
        let mut form = self.form(node, &shape::META)?;
        if let Some(node) = form.take("format") {
            self.format(node);
        }
        let name = self.required(&mut form, "name").and_then(|node| self.name(node));
        let version = self.required_words(&mut form, "version");
        let title = self.required_words(&mut form, "title");
        let developer = self.required_words(&mut form, "developer");
        let funding = self.optional_words(&mut form, "funding").unwrap_or_default();
        let released = self.required_words(&mut form, "released");
        let revised = self.optional_words(&mut form, "revised");
        let signed_by = self.optional_words(&mut form, "signed_by");
        form.finish(self);
        Some(Meta {
            name: name?.value,
            version: version?,
            title: title?,
            developer: developer?,
            funding,
            released: released?,
            revised,
            signed_by,
        })
    }

    /// Reads a source.
    pub fn source(&mut self, node: &Node) -> Option<Source> {
        let mut form = self.form(node, &shape::SOURCE)?;
        let id = self.required(&mut form, "id").and_then(|node| self.name(node));
        let title = self.required_words(&mut form, "title");
        let publisher = self.required_words(&mut form, "publisher");
        let year = form.take("year").and_then(|node| self.year(node)).unwrap_or(0);
        let url = self.optional_words(&mut form, "url").unwrap_or_default();
        form.finish(self);
        Some(Source { id: id?, title: title?, publisher: publisher?, year, url })
    }

    fn year(&mut self, node: &Node) -> Option<u32> {
        let text = self.text(node)?;
        let year = text.parse().ok().filter(|year| (1800..=2200).contains(year));
        if year.is_none() {
            let fault = Diagnostic::error("malformed-number", node.span, format!("`{}` is not a year", text.value));
            self.fault(fault.help("leave `year` out where it is not known"));
        }
        year
    }

    /// Reads an approach.
    pub fn approach(&mut self, node: &Node) -> Option<Approach> {
        let mut form = self.form(node, &shape::APPROACH)?;
        let id = self.required(&mut form, "id").and_then(|node| self.name(node));
        let title = self.required_words(&mut form, "title");
        form.finish(self);
        Some(Approach { id: id?, title: title? })
    }

    /// Reads a component.
    pub fn component(&mut self, node: &Node) -> Option<Component> {
        let mut form = self.form(node, &shape::COMPONENT)?;
        let id = self.required(&mut form, "id").and_then(|node| self.name(node));
        let title = self.required_words(&mut form, "title");
        let approaches = self.required(&mut form, "approaches").map(|node| self.names(node));
        let current = form.take("current").and_then(|node| self.name(node));
        let planned = form.take("planned").and_then(|node| self.name(node));
        let never_abrupt = form.take("never_abrupt").and_then(|node| self.boolean(node)).unwrap_or(false);
        let listed_first = form.take("listed_first").and_then(|node| self.choice_test(node));
        form.finish(self);
        Some(Component {
            id: id?,
            title: title?,
            approaches: approaches?,
            current,
            planned,
            never_abrupt,
            listed_first,
        })
    }

    /// Reads the scope.
    pub fn scope(&mut self, node: &Node) -> Option<ScopeDecl> {
        let mut form = self.form(node, &shape::SCOPE)?;
        let mut part = |key| self.required(&mut form, key).and_then(|node| self.name(node));
        let scope =
            ScopeDecl { present: part("present"), possible: part("possible"), in_remission: part("in_remission") };
        form.finish(self);
        Some(scope)
    }

    /// Reads a word of a vocabulary.
    pub fn vocabulary_word(&mut self, node: &Node) -> Option<Word> {
        let mut form = self.form(node, &shape::WORD)?;
        let id = self.required(&mut form, "id").and_then(|node| self.name(node));
        let title = self.required_words(&mut form, "title");
        let newest = form.take("newest").and_then(|node| self.boolean(node)).unwrap_or(false);
        let ask = form.take("ask").and_then(|node| self.ask(node));
        let source_attribute = self.source_attribute(&mut form);
        form.finish(self);
        Some(Word { id: id?, title: title?, ask, newest, source_attribute })
    }

    fn ask(&mut self, node: &Node) -> Option<Ask> {
        let mut form = self.form(node, &shape::ASK)?;
        let id = self.required(&mut form, "id").and_then(|node| self.name(node));
        let text = self.required_words(&mut form, "text");
        form.finish(self);
        Some(Ask { id: id?.value, text: text? })
    }

    /// Reads a question of several concepts.
    pub fn question(&mut self, node: &Node) -> Option<Question> {
        let mut form = self.form(node, &shape::QUESTION)?;
        let id = self.required(&mut form, "id").and_then(|node| self.name(node));
        let text = self.required_words(&mut form, "text");
        let concepts = self.required(&mut form, "concepts").map(|node| self.names(node));
        form.finish(self);
        Some(Question { id: id?, text: text?, concepts: concepts? })
    }

    /// Reads a substance.
    pub fn substance(&mut self, node: &Node) -> Option<Substance> {
        let mut form = self.form(node, &shape::SUBSTANCE)?;
        let id = self.required(&mut form, "id").and_then(|node| self.text(node));
        let classes = form.take("classes").map_or_else(Vec::new, |node| self.names(node));
        let unspecific = form.take("unspecific").and_then(|node| self.boolean(node)).unwrap_or(false);
        form.finish(self);
        Some(Substance { id: id?, classes: classes.into_iter().map(|name| name.value).collect(), unspecific })
    }

    /// Reads an answer of observations.
    pub fn answer(&mut self, node: &Node) -> Option<Answer> {
        let mut form = self.form(node, &shape::ANSWER)?;
        let id = self.required(&mut form, "id").and_then(|node| self.name(node));
        let words = self.plain_texts(&mut form, "words");
        let codings = form.take("codings").map_or_else(Vec::new, |node| self.codings(node));
        let excludes = form.take("excludes").map_or_else(Vec::new, |node| self.names(node));
        form.finish(self);
        let excludes = excludes.into_iter().map(|name| name.value).collect();
        Some(Answer { id: id?, words, codings, excludes })
    }

    pub(super) fn codings(&mut self, node: &Node) -> Vec<(String, String)> {
        let items = self.list(node, "`codings`");
        items
            .iter()
            .filter_map(|item| {
                let mut pair = self.texts(item, "a coding").into_iter();
                match (pair.next(), pair.next(), pair.next()) {
                    (Some(system), Some(code), None) => Some((system.value, code.value)),
                    _ => {
                        let fault = Diagnostic::error("wrong-shape", item.span, "a coding is a system and a code");
                        self.fault(fault.help("write `[LOINC, LA6576-8]`"));
                        None
                    }
                }
            })
            .collect()
    }

    fn plain_texts(&mut self, form: &mut Form<'_>, key: &'static str) -> Vec<String> {
        form.take(key)
            .map_or_else(Vec::new, |node| self.texts(node, "this").into_iter().map(|text| text.value).collect())
    }

    /// The texts of a key, kept with their places too.
    fn codes(&mut self, form: &mut Form<'_>, key: &'static str, entries: &mut Vec<Spanned<String>>) -> Vec<String> {
        let texts = form.take(key).map_or_else(Vec::new, |node| self.texts(node, "this"));
        entries.extend(texts.iter().cloned());
        texts.into_iter().map(|text| text.value).collect()
    }

    /// Reads a concept.
    pub fn concept(&mut self, node: &Node) -> Option<Concept> {
        let mut form = self.form(node, &shape::CONCEPT)?;
        let id = self.required(&mut form, "id").and_then(|node| self.name(node));
        let kind = self
            .required(&mut form, "kind")
            .and_then(|node| self.word(node, "a kind of concept", shape::CONCEPT_KINDS));
        let title = self.required_words(&mut form, "title");
        let mut entries = Vec::new();
        let icd10cm = self.codes(&mut form, "icd-10-cm", &mut entries);
        let icd10cm_retired = self.codes(&mut form, "icd-10-cm-retired", &mut entries);
        let snomed = self.codes(&mut form, "snomed-ct", &mut entries);
        let loinc = self.codes(&mut form, "loinc", &mut entries);
        let local = self.codes(&mut form, "local", &mut entries);
        let rxnorm = match form.take("rxnorm") {
            Some(node) => self.rxnorm(node, &mut entries),
            None => RxNormLists::default(),
        };
        let includes = form.take("includes").map_or_else(Vec::new, |node| self.names(node));
        entries.extend(includes.iter().cloned());
        let encounters_except = self.plain_texts(&mut form, "encounters_except");
        let remission = form.take("remission").and_then(|node| self.name(node));
        let relapsing = form.take("relapsing").and_then(|node| self.boolean(node)).unwrap_or(false);
        let one_disorder = form.take("one_disorder").and_then(|node| self.boolean(node)).unwrap_or(false);
        let unit = form.take("unit").and_then(|node| self.text(node));
        let molar_mass = form.take("molar_mass").and_then(|node| self.decimal(node));
        let valence = form.take("valence").and_then(|node| self.decimal(node));
        let source_attribute = self.source_attribute(&mut form);
        form.finish(self);
        let id: Name = id?;
        Some(Concept {
            span: id.span,
            entries,
            def: ConceptDef {
                id: id.value,
                kind: kind?,
                title: title?,
                icd10cm: icd10cm.into_iter().map(|code| IcdEntry::from(code.as_str())).collect(),
                icd10cm_retired: icd10cm_retired.into_iter().map(|code| IcdEntry::from(code.as_str())).collect(),
                snomed,
                loinc,
                local,
                rxnorm_ingredients: rxnorm.ingredients,
                rxnorm_products: rxnorm.products,
                rxnorm_except: rxnorm.except,
                without_ingredients: rxnorm.without,
                includes: includes.into_iter().map(|name| name.value).collect(),
                encounters_except: encounters_except.iter().filter_map(|text| text.chars().next()).collect(),
            },
            remission,
            relapsing,
            one_disorder,
            unit,
            molar_mass,
            valence,
            source_attribute,
        })
    }

    fn rxnorm(&mut self, node: &Node, entries: &mut Vec<Spanned<String>>) -> RxNormLists {
        if let Kind::List(_) = node.kind {
            let ingredients = self.texts(node, "`rxnorm`").into_iter().map(|text| text.value).collect();
            return RxNormLists { ingredients, ..RxNormLists::default() };
        }
        let Some(mut form) = self.form(node, &shape::RXNORM) else { return RxNormLists::default() };
        let lists = RxNormLists {
            ingredients: self.codes(&mut form, "ingredients", entries),
            products: self.codes(&mut form, "products", entries),
            except: self.codes(&mut form, "except", entries),
            without: self.codes(&mut form, "without", entries),
        };
        form.finish(self);
        lists
    }

    fn decimal(&mut self, node: &Node) -> Option<Decimal> {
        let text: Spanned<String> = self.text(node)?;
        let number = decimal(&text);
        if number.is_none() {
            self.fault(Diagnostic::error("malformed-number", node.span, format!("`{}` is not a number", text.value)));
        }
        number
    }
}

#[derive(Default)]
struct RxNormLists {
    ingredients: Vec<String>,
    products: Vec<String>,
    except: Vec<String>,
    without: Vec<String>,
}
