//! Gherkin, as far as the specification's conformance test kit uses it: features, backgrounds, scenarios, steps, blocks of
//! text under steps, tags and comments. No tables, outlines or rules; what is not known is an error, never passed over.
//!
//! Our own, because the parsers that there are pull features into the build that make the whole workspace compile anew.

/// A feature: scenarios, each of which has the steps of the background and the tags of the feature too.
pub(crate) struct Feature {
    pub(crate) name: String,
    pub(crate) scenarios: Vec<Scenario>,
}

pub(crate) struct Scenario {
    pub(crate) name: String,
    /// Without the `@`.
    pub(crate) tags: Vec<String>,
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone)]
pub(crate) struct Step {
    /// Where it stands, from 1.
    pub(crate) line: usize,
    /// What stands behind the keyword.
    pub(crate) text: String,
    /// The text under it between `"""`, without the indentation that its lines share.
    pub(crate) block: Option<String>,
}

const KEYWORDS: [&str; 6] = ["Given ", "When ", "Then ", "And ", "But ", "* "];

impl Feature {
    /// Reads a feature.
    ///
    /// # Errors
    /// The first line that is not known.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut feature = Feature { name: String::new(), scenarios: Vec::new() };
        let (mut feature_tags, mut tags) = (Vec::new(), Vec::new());
        let mut background: Vec<Step> = Vec::new();
        let mut in_background = false;
        let mut lines = text.lines().zip(1..);
        while let Some((line, number)) = lines.next() {
            let content = line.trim();
            if content.is_empty() || content.starts_with('#') {
            } else if let Some(name) = content.strip_prefix("Feature:") {
                feature.name = name.trim().to_owned();
                feature_tags.append(&mut tags);
            } else if content.starts_with('@') {
                tags.extend(content.split_whitespace().map(|tag| tag.trim_start_matches('@').to_owned()));
            } else if content.starts_with("Background:") {
                in_background = true;
            } else if let Some(name) = scenario_name(content) {
                in_background = false;
                let tags = feature_tags.iter().cloned().chain(std::mem::take(&mut tags)).collect();
                feature.scenarios.push(Scenario { name: name.to_owned(), tags, steps: background.clone() });
            } else if content.starts_with("\"\"\"") || content.starts_with("```") {
                let block = block(&content[..3], &mut lines).ok_or_else(|| format!("line {number}: is not closed"))?;
                let step = match feature.scenarios.last_mut() {
                    _ if in_background => background.last_mut(),
                    Some(scenario) => scenario.steps.last_mut(),
                    None => None,
                };
                step.ok_or_else(|| format!("line {number}: belongs to no step"))?.block = Some(block);
            } else if let Some(text) = KEYWORDS.iter().find_map(|keyword| content.strip_prefix(keyword)) {
                let step = Step { line: number, text: text.trim().to_owned(), block: None };
                match feature.scenarios.last_mut() {
                    _ if in_background => background.push(step),
                    Some(scenario) => scenario.steps.push(step),
                    None => return Err(format!("line {number}: a step outside of a scenario")),
                }
            } else if in_background || !feature.scenarios.is_empty() || feature.name.is_empty() {
                return Err(format!("line {number}: {content:?} is not known"));
            }
            // What remains is the description of the feature.
        }
        Ok(feature)
    }
}

fn scenario_name(content: &str) -> Option<&str> {
    content.strip_prefix("Scenario:").or_else(|| content.strip_prefix("Example:")).map(str::trim)
}

/// The lines up to the one that closes the block.
fn block<'t>(delimiter: &str, lines: &mut impl Iterator<Item = (&'t str, usize)>) -> Option<String> {
    let mut block = Vec::new();
    loop {
        let (line, _) = lines.next()?;
        if line.trim() == delimiter {
            break;
        }
        block.push(line);
    }
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let shared = block.iter().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    Some(block.iter().map(|line| line.get(shared..).unwrap_or_default()).collect::<Vec<_>>().join("\n"))
}
