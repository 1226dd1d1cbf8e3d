//! The recipes of the manual: what a pipeline, a cluster or a monitoring system is told to run is run here as printed where
//! that needs nothing else, and read by that system's own checker, or against its published schema.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use pgtls_check::demo::{Demo, fault};

use crate::support::home::Home;
use crate::support::postgres::build_directory;

/// A page of the manual.
fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/guide").join(name);
    fs::read_to_string(path).expect("a page of the manual")
}

/// The blocks of a kind below a heading.
fn blocks(page: &str, heading: &str, kind: &str) -> Vec<String> {
    let section = page.split("\n## ").find(|section| section.lines().next() == Some(heading));
    let section = section.unwrap_or_else(|| panic!("no {heading:?} in the page"));
    let begin = format!("```{kind}\n");
    let parts = section.split(&begin).skip(1);
    parts.map(|part| part.split("```").next().unwrap_or_default().to_owned()).collect()
}

fn block(page: &str, heading: &str, kind: &str) -> String {
    let blocks = blocks(page, heading, kind);
    assert_eq!(blocks.len(), 1, "blocks of {kind} below {heading}");
    blocks.into_iter().next().expect("one")
}

/// A program of Debian's; without it the test fails and says what brings it.
fn debian(program: &str, package: &str) -> Command {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(found.is_ok(), "{program} is missing: `tests/run setup`, or apt-get install {package}");
    Command::new(program)
}

fn pypi(program: &str) -> Command {
    let path = build_directory().join("readers-python/bin").join(program);
    assert!(path.exists(), "{program} is missing: `tests/run setup`");
    Command::new(path)
}

/// The output of a checker that is content.
#[track_caller]
fn content(mut command: Command) -> String {
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output().expect("a checker");
    let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?}: {status}\n{text}");
    text
}

/// The lines of commands of a pipeline, as its runner has them in a shell.
fn commands(recipe: &str) -> Vec<String> {
    let lines = recipe.lines().map(|line| line.trim_start_matches([' ', '-']));
    let lines =
        lines.map(|line| line.strip_prefix("run: ").or(line.strip_prefix("script: ")).unwrap_or(line));
    let commands: Vec<String> =
        lines.filter(|line| line.starts_with("pgtls-check ")).map(str::to_owned).collect();
    assert_eq!(commands.len(), 1, "{recipe}");
    commands
}

/// Runs a recipe's command in a shell that has the program, in a directory with a list of this server.
fn run(home: &Home, demo: &Demo, command: &str) -> Output {
    home.write("targets.txt", demo.conninfo());
    let program = Path::new(env!("CARGO_BIN_EXE_pgtls-check")).parent().expect("a directory");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = home.command("bash");
    shell.args(["-e", "-c", command]).env("PATH", path).env("GITHUB_STEP_SUMMARY", home.join("summary.md"));
    shell.stdin(Stdio::null()).output().expect("bash")
}

#[test]
fn pipelines_run_as_printed_and_are_what_their_services_accept() {
    let ci = page("ci.md");
    let (healthy, expired) =
        (Demo::start(None).unwrap(), Demo::start(Some(fault("certificate-expired").unwrap())).unwrap());
    for (heading, schema, files, sign) in [
        ("GitHub Actions", "github-workflows", &["tls.json", "tls.html", "summary.md"][..], "::error title="),
        ("GitLab", "gitlab-ci", &["tls.xml", "tls.html"], "error[certificate-expired]"),
        ("Azure Pipelines", "azure-pipelines", &["tls.xml"], "##vso[task.logissue type=error"),
    ] {
        let recipe = block(&ci, heading, "yaml");
        for (demo, status) in [(&healthy, 0), (&expired, 8)] {
            let home = Home::new();
            let output = run(&home, demo, &commands(&recipe)[0]);
            let text = String::from_utf8_lossy(&output.stdout);
            assert_eq!(output.status.code(), Some(status), "{heading}: {text}");
            assert_eq!(text.contains(sign), status != 0, "{heading}: {text}");
            for file in files {
                assert!(home.join(file).exists(), "{heading}: {file}");
            }
        }
        let home = Home::new();
        let file = home.write("pipeline.yml", &recipe);
        let mut checker = pypi("check-jsonschema");
        content({
            checker.arg("--builtin-schema").arg(format!("vendor.{schema}")).arg(file);
            checker
        });
    }
}

/// How the program comes to a runner: by the action, whose inputs are those of the recipe, or out of a release's archive.
#[test]
fn the_program_comes_to_the_runner_as_printed() {
    let ci = page("ci.md");
    let begin = ci.split("\n## ").next().expect("the page's beginning");
    let recipe = &page_blocks(begin, "yaml")[0];
    let home = Home::new();
    let workflow = format!(
        "on: push\njobs:\n  check:\n    runs-on: ubuntu-latest\n{}",
        recipe.lines().map(|line| format!("    {line}\n")).collect::<String>()
    );
    let file = home.write("workflow.yml", workflow);
    let mut checker = pypi("check-jsonschema");
    checker.args(["--builtin-schema", "vendor.github-workflows"]).arg(file);
    content(checker);
    let action =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/action.yml")).unwrap();
    let inputs = recipe.split("with:\n").nth(1).expect("inputs").lines().map(str::trim);
    for input in inputs {
        let name = input.split(':').next().unwrap();
        assert!(action.contains(&format!("\n  {name}:\n")), "{name} is no input of the action");
    }

    let archive = "pgtls-check-x86_64-unknown-linux-musl";
    let place = home.join("releases/latest/download");
    fs::create_dir_all(place.join(archive)).unwrap();
    fs::write(place.join(archive).join("pgtls-check"), "#!/bin/sh\necho here\n").unwrap();
    fs::set_permissions(place.join(archive).join("pgtls-check"), PermissionsExt::from_mode(0o755)).unwrap();
    let mut tar = Command::new("tar");
    tar.current_dir(&place).args(["-czf", &format!("{archive}.tar.gz"), archive]);
    content(tar);
    let mut shell = home.command("bash");
    shell.args(["-e", "-c", &format!("{}\n./pgtls-check", page_blocks(begin, "sh")[0])]);
    shell.env("RELEASES", format!("file://{}", home.join("releases").display())).current_dir(home.path());
    assert_eq!(content(shell), "here\n");
}

#[test]
fn clusters_accept_the_manifests() {
    let kubernetes = page("kubernetes.md");
    let home = Home::new();
    let mut files: Vec<PathBuf> = Vec::new();
    for (number, manifest) in page_blocks(&kubernetes, "yaml").into_iter().enumerate() {
        // What is part of a pod is put into one.
        let whole = match manifest.starts_with("apiVersion") {
            true => manifest,
            false => {
                let indented: String = manifest.lines().map(|line| format!("  {line}\n")).collect();
                format!(
                    "apiVersion: v1\nkind: Pod\nmetadata: {{ name: app }}\nspec:\n  containers:\n    \
                     - {{ name: app, image: app }}\n{indented}"
                )
            }
        };
        files.push(home.write(&format!("{number}.yaml"), whole));
    }
    assert!(files.len() >= 3, "an init container, a CronJob, a Job");
    let mut checker = pypi("kubernetes-validate");
    checker.arg("--strict").args(&files);
    content(checker);
}

/// The blocks of a kind of a whole page.
fn page_blocks(page: &str, kind: &str) -> Vec<String> {
    let begin = format!("```{kind}\n");
    let parts = page.split(&begin).skip(1);
    parts.map(|part| part.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn systemd_accepts_the_units() {
    let units = blocks(&page("monitoring.md"), "systemd and Prometheus", "ini");
    let home = Home::new();
    let mut checker = debian("systemd-analyze", "systemd");
    checker.args(["verify", "--man=no"]);
    for unit in &units {
        let name = unit.lines().next().and_then(|line| line.rsplit('/').next()).expect("the unit's file");
        // Nothing is installed here: the program is where it was built.
        let unit = unit.replace("/usr/bin/pgtls-check", env!("CARGO_BIN_EXE_pgtls-check"));
        checker.arg(home.write(name, unit));
    }
    assert_eq!(units.len(), 2, "a service and its timer");
    let said = content(checker);
    assert!(!said.contains("pgtls-check"), "{said}");
}

/// The metrics of a run as series of promtool's tests, the run at the epoch, each with the same value throughout.
fn as_series(metrics: &str) -> String {
    let value = |line: &str| line.rsplit_once(' ').expect("a value").1.parse::<f64>().expect("a number");
    let samples: Vec<&str> = metrics.lines().filter(|line| !line.starts_with('#')).collect();
    let run = samples.iter().find(|line| line.starts_with("pgtls_check_run_timestamp_seconds"));
    let run = value(run.expect("when it ran"));
    let series = samples.iter().map(|line| {
        let (name, _) = line.rsplit_once(' ').expect("a value");
        let value = if name.contains("timestamp") { value(line) - run } else { value(line) };
        format!("      - series: '{name}'\n        values: '{value}+0x30'\n")
    });
    series.collect()
}

#[test]
fn alerts_fire_on_what_the_program_writes() {
    let rules = block(&page("monitoring.md"), "systemd and Prometheus", "yaml");
    for (name, firing) in [
        (None, &[][..]),
        (Some("hostname-mismatch"), &["PostgresTlsNotVerified"]),
        (Some("certificate-expired"), &["PostgresCertificateExpires", "PostgresTlsNotVerified"]),
        (Some("certificate-expires-soon"), &["PostgresCertificateExpires"]),
    ] {
        let home = Home::new();
        let rules = home.write("rules.yml", &rules);
        let mut promtool = debian("promtool", "prometheus");
        promtool.args(["check", "rules"]).arg(&rules);
        content(promtool);
        let demo = Demo::start(name.map(|name| fault(name).unwrap())).unwrap();
        let metrics = crate::support::tool::Tool::at(&home)
            .with(["--format", "prometheus", "--no-try", demo.conninfo()])
            .run()
            .stdout;
        let samples: String = firing
            .iter()
            .map(|name| format!("          - {{ labels: '{{alertname=\"{name}\"}}', value: 1 }}\n"))
            .collect();
        let samples = if samples.is_empty() { " []\n".to_owned() } else { format!("\n{samples}") };
        let test = format!(
            "rule_files: [rules.yml]\nevaluation_interval: 5m\ntests:\n  - interval: 5m\n    input_series:\n{}    \
             promql_expr_test:\n      - expr: count by (alertname) (ALERTS{{alertstate=\"firing\"}})\n        eval_time: 2h\n        \
             exp_samples:{samples}",
            as_series(&metrics)
        );
        let test = home.write("test.yml", test);
        let mut promtool = debian("promtool", "prometheus");
        promtool.args(["test", "rules"]).arg(test);
        content(promtool);
    }
    // A run that is long past, and none at all.
    let home = Home::new();
    home.write("rules.yml", &rules);
    let series = "      - series: 'pgtls_check_run_timestamp_seconds'\n        values: '0+0x60'\n";
    let test = home.write(
        "test.yml",
        format!(
            "rule_files: [rules.yml]\nevaluation_interval: 5m\ntests:\n  - interval: 5m\n    input_series:\n{series}    \
             alert_rule_test:\n      - alertname: PgtlsCheckNotRunning\n        eval_time: 2h\n        exp_alerts: []\n      \
             - alertname: PgtlsCheckNotRunning\n        eval_time: 4h\n        exp_alerts:\n          - exp_labels: {{ severity: warning }}\n            \
             exp_annotations: {{ summary: pgtls-check has not run for three hours }}\n"
        ),
    );
    let mut promtool = debian("promtool", "prometheus");
    promtool.args(["test", "rules"]).arg(test);
    content(promtool);
}

#[test]
fn nagios_accepts_the_objects_and_runs_the_command() {
    let objects = block(&page("monitoring.md"), "Nagios, Icinga", "nagios");
    let home = Home::new();
    // What the recipe takes for granted.
    let rest = "define timeperiod {\n  timeperiod_name 24x7\n  alias always\n  monday 00:00-24:00\n}\n\
                define command {\n  command_name notify\n  command_line /bin/true\n}\n\
                define contact {\n  contact_name admin\n  host_notifications_enabled 0\n  service_notifications_enabled 0\n  \
                host_notification_period 24x7\n  service_notification_period 24x7\n  host_notification_commands notify\n  \
                service_notification_commands notify\n}\n\
                define contactgroup {\n  contactgroup_name admins\n  alias Admins\n  members admin\n}\n\
                define host {\n  host_name db.example.com\n  address 192.0.2.1\n  max_check_attempts 1\n  contact_groups admins\n  check_period 24x7\n}\n";
    let file = home.write("objects.cfg", format!("{objects}\n{rest}"));
    // Started by root it becomes another user.
    let spool = home.join("spool");
    fs::create_dir(&spool).expect("a directory");
    fs::set_permissions(&spool, PermissionsExt::from_mode(0o777)).expect("its mode");
    let main = format!(
        "cfg_file={}\nlog_file={home}/log\nobject_cache_file={home}/cache\nstatus_file={home}/status\n\
         temp_file={home}/temp\ntemp_path={home}\ncheck_result_path={home}\nlock_file={home}/lock\nstate_retention_file={home}/state\n",
        file.display(),
        home = spool.display()
    );
    let main = home.write("nagios.cfg", main);
    for file in [&main, &file] {
        fs::set_permissions(file, PermissionsExt::from_mode(0o644)).expect("its mode");
    }
    let mut nagios = debian("nagios4", "nagios4-core");
    nagios.arg("-v").arg(main);
    let said = content(nagios);
    assert!(said.contains("Total Errors:   0"), "{said}");

    let line = objects.lines().find_map(|line| line.trim().strip_prefix("command_line")).expect("a command");
    let demo = Demo::start(None).unwrap();
    let roots = demo.conninfo().split("sslrootcert=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    let line = line
        .replace("/usr/bin/", "")
        .replace("$HOSTNAME$", "db.example hostaddr=127.0.0.1")
        .replace("$ARG1$", &demo.address().port().to_string())
        .replace("/etc/pgtls/roots.pem", roots);
    let output = run(&home, &demo, &line);
    assert_eq!(output.status.code(), Some(0), "{line}: {output:?}");
    assert!(output.stdout.starts_with(b"PGTLS OK - db.example:"), "{output:?}");
}

#[test]
fn icinga_accepts_the_objects_and_the_command_it_makes_of_them_runs() {
    let objects = block(&page("monitoring.md"), "Nagios, Icinga", "icinga");
    let home = Home::new();
    let rest = "object CheckCommand \"true\" { command = [ \"/bin/true\" ] }\n\
                object Host \"db.example.com\" { check_command = \"true\"; vars.postgresql = true }\n";
    let file = home.write("objects.conf", format!("{objects}\n{rest}"));
    // Started by root it becomes another user.
    for (path, mode) in [(home.path(), 0o755), (&*file, 0o644)] {
        fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("its mode");
    }
    let data = home.join("data");
    fs::create_dir(&data).expect("a directory");
    fs::set_permissions(&data, PermissionsExt::from_mode(0o777)).expect("its mode");
    let mut icinga = debian("icinga2", "icinga2-bin");
    for place in ["DataDir", "CacheDir", "SpoolDir", "InitRunDir", "LogDir"] {
        icinga.arg(format!("-D{place}={}", data.display()));
    }
    icinga.args(["daemon", "-C", "--no-stack-rlimit", "-c"]).arg(&file);
    let said = content(icinga);
    assert!(said.contains("Finished validating the configuration file(s)"), "{said}");
    assert!(said.contains("1 Service") && said.contains("2 CheckCommands"), "{said}");

    // What it makes of the command: options in any order, the connection string without its key.
    let demo = Demo::start(None).unwrap();
    let roots = demo.conninfo().split("sslrootcert=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    let conninfo = quoted(&objects, "vars.pgtls_conninfo = ")
        .replace("$host.name$", "db.example hostaddr=127.0.0.1")
        .replace("port=5432", &format!("port={}", demo.address().port()))
        .replace("/etc/pgtls/roots.pem", roots);
    let command =
        objects.lines().find_map(|line| line.trim().strip_prefix("command = [")).expect("a command");
    let command = command.trim_end_matches(']').replace("\", \"", "\" \"").replace("/usr/bin/", "");
    let options = "--timeout 10 --expires-within 30 --fail-within 7";
    let output = run(&home, &demo, &format!("{command} {options} '{conninfo}'"));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stdout.starts_with(b"PGTLS OK - db.example:"), "{output:?}");
}

/// What stands in double quotes behind a prefix.
fn quoted(text: &str, prefix: &str) -> String {
    let value = text.lines().find_map(|line| line.trim().strip_prefix(prefix)).expect("the setting");
    value.trim_matches('"').to_owned()
}
