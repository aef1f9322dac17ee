//! Tables of a run as Parquet, with the feature and without it.

use ebbflow::report::parquet::{self, ParquetError};

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_parquet_says_how_to_get_it() {
    let home = tempfile::tempdir().unwrap();
    let error = parquet::write(home.path()).unwrap_err();
    assert!(matches!(error, ParquetError::NotBuilt) && error.is_refusal());
    assert!(error.to_string().contains("--features parquet"), "{error}");
}

#[cfg(feature = "parquet")]
mod built {
    use std::fs;
    use std::path::{Path, PathBuf};

    use ::parquet::basic::Type;
    use ::parquet::file::reader::{FileReader, SerializedFileReader};
    use ::parquet::record::Field;

    use super::*;
    use crate::finished_runs::{SCALED, written};

    fn open(path: &Path) -> SerializedFileReader<fs::File> {
        SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap()
    }

    /// A cell as the CSV may have it: numbers may be written in several ways.
    fn same(field: &Field, cell: &str) -> bool {
        match field {
            Field::Null => cell.is_empty(),
            Field::Long(value) => cell.parse() == Ok(*value),
            Field::Double(value) => cell.parse() == Ok(*value),
            Field::Str(value) => cell == value,
            other => panic!("{other} is no type of ours"),
        }
    }

    fn compare(csv: &Path, parquet: &Path) {
        let mut table = csv::Reader::from_path(csv).unwrap();
        let header: Vec<String> = table.headers().unwrap().iter().map(str::to_owned).collect();
        let file = open(parquet);
        let schema = file.metadata().file_metadata().schema();
        let names: Vec<&str> = schema.get_fields().iter().map(|field| field.name()).collect();
        assert_eq!(names, header, "{}", csv.display());
        let mut rows = file.get_row_iter(None).unwrap();
        for record in table.records() {
            let (record, row) = (record.unwrap(), rows.next().unwrap().unwrap());
            for ((name, field), cell) in row.get_column_iter().zip(&record) {
                assert!(same(field, cell), "{name} is {field} instead of {cell} in {}", parquet.display());
            }
        }
        assert!(rows.next().is_none());
    }

    fn with_extension(directory: &Path, extension: &str) -> Vec<PathBuf> {
        let folders = ["requests", "detailed", "lifecycle", "scaling"].map(|folder| directory.join(folder));
        let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|found| found == extension));
        paths.sort();
        paths
    }

    #[test]
    fn every_table_stands_beside_its_csv_with_the_same_rows() {
        let home = tempfile::tempdir().unwrap();
        let (directory, _) = written(SCALED, home.path());
        let mut named = parquet::write(&directory).unwrap();
        named.sort();
        let tables = with_extension(&directory, "csv");
        assert_eq!(tables.len(), 8);
        let beside: Vec<_> = tables.iter().map(|csv| csv.with_extension("parquet")).collect();
        assert_eq!(named, beside);
        tables.iter().zip(&beside).for_each(|(csv, parquet)| compare(csv, parquet));
        assert_eq!(parquet::write(&directory).unwrap().len(), 8, "it may be done again");
        assert!(
            fs::read_dir(&directory)
                .unwrap()
                .all(|entry| { !entry.unwrap().file_name().to_string_lossy().starts_with(".ebbflow") })
        );
    }

    #[test]
    fn seconds_are_doubles_and_ids_are_integers_even_where_all_are_empty() {
        let home = tempfile::tempdir().unwrap();
        let (directory, _) = written(SCALED, home.path());
        parquet::write(&directory).unwrap();
        let kind = |table: &str, column: &str| {
            let file = open(&directory.join(table));
            let schema = file.metadata().file_metadata().schema();
            let field = schema.get_fields().iter().find(|field| field.name() == column).unwrap();
            field.get_physical_type()
        };
        assert_eq!(kind("requests/0.parquet", "request_id"), Type::INT64);
        assert_eq!(kind("requests/0.parquet", "first_refusal_s"), Type::DOUBLE);
        assert_eq!(kind("requests/0.parquet", "decode_instance"), Type::INT64);
        assert_eq!(kind("lifecycle/0.parquet", "tag"), Type::BYTE_ARRAY);
        assert_eq!(kind("lifecycle/0_servers.parquet", "idle_power_w"), Type::DOUBLE);
        assert_eq!(kind("scaling/0_decisions.parquet", "time"), Type::DOUBLE);
    }

    #[test]
    fn rows_beyond_a_group_are_all_there() {
        let home = tempfile::tempdir().unwrap();
        let rows = 200_001;
        let log: String = (0..rows).map(|n| format!("{n}.5,act,,\n")).collect();
        fs::create_dir(home.path().join("scaling")).unwrap();
        fs::write(home.path().join("run.json"), "{}").unwrap();
        fs::write(home.path().join("scaling/0.csv"), format!("time,action,target,status\n{log}")).unwrap();
        let written = parquet::write(home.path()).unwrap();
        let file = open(&written[0]);
        assert_eq!((file.metadata().num_row_groups(), file.metadata().file_metadata().num_rows()), (3, rows));
    }

    #[test]
    fn a_damaged_table_is_named_with_its_place_and_nothing_appears() {
        let home = tempfile::tempdir().unwrap();
        let (directory, _) = written(SCALED, home.path());
        let path = directory.join("scaling/0.csv");
        for (text, expected) in [
            ("time,action,target,status\nlate,x,y,z\n", "scaling/0.csv:2: time is `late`; expected a number"),
            ("time,mood\n1.0,good\n", "has no column `mood`"),
            ("time,action,target,status\n1.0,x\n", "scaling/0.csv"),
        ] {
            fs::write(&path, text).unwrap();
            let error = parquet::write(&directory).unwrap_err();
            assert!(error.to_string().contains(expected) && !error.is_refusal(), "{error}");
            assert!(with_extension(&directory, "parquet").is_empty());
        }
    }

    #[test]
    fn what_is_no_run_directory_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let error = parquet::write(home.path()).unwrap_err();
        assert!(matches!(error, ParquetError::NotARun(_)) && error.is_refusal());
    }
}
