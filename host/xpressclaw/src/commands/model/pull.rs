//! `model pull`: from a name of the catalogue or a URL to a verified file.

use std::path::PathBuf;

use anyhow::Result;
use models::{
    Digest, Download, Downloader, Expected, Fetched, Mirror, ModelName, Options, PullError, Shelf,
    catalogue,
};
use serde::Serialize;
use url::Url;

use super::super::{Context, output};
use super::progress::Progress;
use crate::cli::{Format, PullArgs};
use crate::environment;
use crate::exit::{Exit, Failure};
use crate::local_model;

#[derive(Serialize)]
struct Row {
    model: String,
    path: String,
    size_bytes: u64,
    sha256: String,
    change: &'static str,
}

/// What is to be pulled.
struct Wanted {
    name: ModelName,
    url: Url,
    expected: Expected,
    size: Option<u64>,
}

pub fn run(context: &Context, args: &PullArgs) -> Result<Exit> {
    let shelf = local_model::shelf(&context.paths);
    let wanted = wanted(args, &shelf)?;
    let place = shelf.place(&wanted.name);
    let fetched = fetch(&wanted, place.clone())?;
    if wanted.expected == Expected::FromServer {
        shelf.trust(&wanted.url, fetched.digest)?;
        output::note(&format!(
            "the server's word for SHA-256 {} is recorded; from now on this address must have it",
            fetched.digest
        ));
    }
    let change = if fetched.downloaded { "downloaded" } else { "was there" };
    match args.format {
        Format::Json => output::print_json(&[Row {
            model: wanted.name.to_string(),
            path: place.display().to_string(),
            size_bytes: fetched.size,
            sha256: fetched.digest.to_string(),
            change,
        }])?,
        Format::Text => {
            output::note(&format!("{change}, {}: {}", output::size(fetched.size), wanted.name));
            output::print(&format!("{}\n", place.display()))?;
        }
    }
    if local_model::chosen(&context.config, &context.paths).is_err() {
        output::note(&format!(
            "there are several local models now; `xpressclaw model default {}` makes it `local`",
            wanted.name
        ));
    }
    Ok(Exit::Ok)
}

fn wanted(args: &PullArgs, shelf: &Shelf) -> Result<Wanted, Failure> {
    if args.model.contains("://") {
        return from_url(args, shelf);
    }
    let Some(entry) = catalogue().entry(&args.model) else {
        let names: Vec<_> = catalogue().models.iter().map(|entry| entry.name.as_str()).collect();
        return Err(Failure::usage(format!("the catalogue has no model `{}`", args.model))
            .hint(format!("it has {}; any other is pulled by its https URL", names.join(", "))));
    };
    if args.sha256.is_some() || args.trust_server_digest || args.name.is_some() {
        return Err(Failure::usage("a model of the catalogue has its name and its SHA-256")
            .hint("leave --sha256, --trust-server-digest and --name away"));
    }
    Ok(Wanted {
        name: ModelName::new(&entry.name).map_err(|e| Failure::usage("its name").because(e))?,
        url: entry.url.clone(),
        expected: Expected::Known(entry.sha256),
        size: Some(entry.size_bytes),
    })
}

fn from_url(args: &PullArgs, shelf: &Shelf) -> Result<Wanted, Failure> {
    let url = Url::parse(&args.model)
        .map_err(|error| Failure::usage("this URL cannot be used").because(error))?;
    let name = match &args.name {
        Some(name) => ModelName::new(name),
        None => ModelName::from_url(&url),
    };
    let name = name.map_err(|error| {
        Failure::usage("the file cannot be named").hint("give a name with --name").because(error)
    })?;
    let given = args.sha256.as_deref().map(str::parse::<Digest>).transpose();
    let given = given.map_err(|error| Failure::usage("--sha256").because(error))?;
    let recorded = shelf.trusted(&url).map_err(|error| {
        Failure::new(Exit::Failed, "the record of trusted digests cannot be read").because(error)
    })?;
    let expected = match (given, recorded) {
        (Some(digest), _) | (None, Some(digest)) => Expected::Known(digest),
        (None, None) if args.trust_server_digest => Expected::FromServer,
        (None, None) => {
            return Err(Failure::usage("nothing says what this file must be").hint(
                "give its SHA-256 with --sha256, as its maker publishes it; or believe the server \
                 this once with --trust-server-digest",
            ));
        }
    };
    Ok(Wanted { name, url, expected, size: None })
}

fn fetch(wanted: &Wanted, place: PathBuf) -> Result<Fetched> {
    let mirror = environment::MODEL_MIRROR.text().map(|text| Mirror::new(&text)).transpose();
    let mirror = mirror.map_err(|error| {
        Failure::usage(format!("{} cannot be used", environment::MODEL_MIRROR.name)).because(error)
    })?;
    let options = Options { mirror, proxy: environment::proxy(), ..Options::default() };
    let download =
        Download { url: wanted.url.clone(), place, expected: wanted.expected, size: wanted.size };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut progress = Progress::new();
    let fetched = runtime.block_on(async {
        Downloader::new(options)?.fetch(&download, &mut |event| progress.event(event)).await
    });
    progress.end();
    fetched.map_err(|error| refusal(&wanted.name, error).into())
}

fn refusal(name: &ModelName, error: PullError) -> Failure {
    let hint = match &error {
        PullError::Occupied { .. } => Some(format!("xpressclaw model remove {name}")),
        PullError::NoSpace { .. } => Some("free some disk space, or choose a smaller model".into()),
        PullError::WrongDigest { .. } => {
            Some("do not use the file from there; report it to whoever publishes it".into())
        }
        _ => None,
    };
    let mut failure =
        Failure::new(Exit::Failed, format!("{name} cannot be downloaded")).because(error);
    failure.hint = hint;
    failure
}
