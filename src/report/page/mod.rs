//! The page of a report: one HTML file that holds its style, its scripts, its chart library and its data,
//! asks no network for anything, and draws itself when a browser opens it.
//!
//! [`render`] puts it together: the skeleton `assets/page.html` names every part as `{{name}}`, and what is put
//! in is never looked through again, so that no text of a run can name a part. What the data must hold is said
//! where it is made; what is drawn of it, by the scripts in `assets/js/`, one concept per file. They are plain
//! scripts in one common scope, because a file opened from disk may not load modules.

/// A table of paths and their texts.
macro_rules! parts {
    ($($path:literal),* $(,)?) => { [$(($path, include_str!($path))),*] };
}

/// Every part of the page that the skeleton can name, by its path below this directory.
const PARTS: &[(&str, &str)] = &parts![
    "assets/style.css",
    "vendor/uplot/uPlot.min.css",
    "vendor/uplot/uPlot.iife.min.js",
    "assets/js/format.js",
    "assets/js/dom.js",
    "assets/js/theme.js",
    "assets/js/timeline.js",
    "assets/js/controls.js",
    "assets/js/chart.js",
    "assets/js/chart_paint.js",
    "assets/js/legend.js",
    "assets/js/table.js",
    "assets/js/head.js",
    "assets/js/groups.js",
    "assets/js/series.js",
    "assets/js/run_charts.js",
    "assets/js/causes.js",
    "assets/js/lane_rows.js",
    "assets/js/lane_paint.js",
    "assets/js/lane_pointer.js",
    "assets/js/lanes.js",
    "assets/js/lane_panel.js",
    "assets/js/decisions.js",
    "assets/js/waterfalls.js",
    "assets/js/distributions.js",
    "assets/js/glossary.js",
    "assets/js/pareto.js",
    "assets/js/compare.js",
    "assets/js/main.js",
];

const SKELETON: &str = include_str!("assets/page.html");

/// The whole page, for a title and for data in JSON.
pub fn render(title: &str, data_json: &str) -> String {
    let (title, data) = (escape_text(title), escape_script(data_json));
    let mut page = String::with_capacity(
        SKELETON.len() + data.len() + PARTS.iter().map(|(_, text)| text.len()).sum::<usize>(),
    );
    let mut rest = SKELETON;
    while let Some((before, name, after)) = next_part(rest) {
        page.push_str(before);
        page.push_str(match name {
            "title" => &title,
            "data" => &data,
            name => part(name),
        });
        rest = after;
    }
    page.push_str(rest);
    page
}

/// What stands before the next `{{name}}`, the name, and what stands behind.
fn next_part(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (name, after) = rest.split_once("}}")?;
    Some((before, name, after))
}

fn part(name: &str) -> &'static str {
    let found = PARTS.iter().find(|(path, _)| *path == name);
    found.expect("the skeleton names only parts of the table: a test looks at all of them").1
}

/// Text as HTML shows it.
fn escape_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// JSON that cannot end the script element it stands in: within JSON a `<` is only ever part of a string.
fn escape_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named_parts() -> Vec<&'static str> {
        let (mut names, mut rest) = (Vec::new(), SKELETON);
        while let Some((_, name, after)) = next_part(rest) {
            names.push(name);
            rest = after;
        }
        names
    }

    #[test]
    fn the_skeleton_names_every_part_once_and_no_other() {
        let mut named = named_parts();
        let mut known: Vec<_> = PARTS.iter().map(|(path, _)| *path).chain(["title", "data"]).collect();
        named.sort_unstable();
        known.sort_unstable();
        assert_eq!(named, known);
    }

    #[test]
    fn no_script_of_the_page_ends_its_own_element() {
        for (path, text) in PARTS {
            assert!(!text.contains("</script"), "{path} holds the end of a script element");
        }
    }

    #[test]
    fn a_name_within_the_data_neither_ends_the_script_nor_names_a_part() {
        let page = render("a <b> & c", r#"{"name": "</script>{{title}}"}"#);
        assert!(page.contains(r#"{"name": "\u003c/script>{{title}}"}"#));
        assert!(page.contains("<title>a &lt;b&gt; &amp; c</title>"));
    }

    #[test]
    fn the_page_without_data_stays_below_200_kb() {
        assert!(render("", "{}").len() < 200_000, "the page itself has {} bytes", render("", "{}").len());
    }

    #[test]
    fn the_page_names_no_address_that_a_browser_would_load() {
        let page = render("", "{}");
        for loading in ["src=\"http", "href=\"http", "url(http", "@import", "fetch(", "XMLHttpRequest"] {
            assert!(!page.contains(loading), "the page holds {loading}");
        }
    }
}
