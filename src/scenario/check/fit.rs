//! Whether an instance fits its server and has a row in the performance table.

use std::path::Path;

use super::Sections;
use super::uses::Use;
use crate::cluster::{DoesNotFit, InstanceShape, deploy, with_kernels};
use crate::performance::roofline::GPU_MEMORY_UTILIZATION;
use crate::performance::{LookupError, LookupKey, LookupTable, splitwise_2023};
use crate::scenario::spec::{InstanceConfig, PerformanceSpec};
use crate::scenario::start_state::PARALLELISM;

/// What to do about more blocks of KV cache than there is memory for.
pub(super) const BLOCKS_HELP: &str =
    "lower `num_gpu_blocks_override`, or leave it out for a cache in what the weights leave";

impl Sections<'_, '_> {
    /// The performance table; nothing when the model is constant or the table cannot be read.
    pub(super) fn table(&self) -> Option<LookupTable> {
        match self.performance? {
            PerformanceSpec::Constant { .. } | PerformanceSpec::Pwl(_) | PerformanceSpec::Roofline(_) => None,
            PerformanceSpec::Lookup { path: None, .. } => Some(splitwise_2023().clone()),
            PerformanceSpec::Lookup { path: Some(path), .. } => match LookupTable::read(path) {
                Ok(table) => Some(table),
                Err(error) => {
                    self.refuse_table(path, &error);
                    None
                }
            },
        }
    }

    /// Records the table as a problem, and what is wrong in it.
    fn refuse_table(&self, path: &Path, error: &LookupError) {
        let at = self.top.descend(&["performance_model", "db", "path"]);
        let findings = error.findings();
        if findings.headline.is_empty() {
            return at.refuse(error.to_string(), None);
        }
        let help = format!("correct {}; what is wrong in it follows", path.display());
        at.refuse(findings.headline.clone(), Some(help));
        self.top.log.elsewhere(findings);
    }

    /// Records whatever keeps this instance from running.
    pub(super) fn check_fit(&self, instance: &Use<'_, '_>, table: Option<&LookupTable>) {
        let model = &instance.application.spec.model;
        let shape = match (instance.shape)(model, instance.sku, instance.config) {
            Ok(shape) => shape,
            Err(misfit) => return self.refuse_misfit(instance, &misfit),
        };
        if shape.widened {
            self.note_widened(instance, shape);
        }
        if model.roofline.is_some() && shape.parallelism.gpus() < shape.gpus {
            self.note_idle_gpus(instance, shape);
        }
        if model.roofline.as_ref().is_some_and(|spec| spec.kernels.is_some()) {
            self.note_kernels(instance, shape);
        }
        if let Some(table) = table {
            let key = LookupKey::new(&model.name, &instance.sku.gpu.name, shape.parallelism.tensor);
            self.check_row(instance, &key, table);
        }
    }

    fn refuse_misfit(&self, instance: &Use<'_, '_>, misfit: &DoesNotFit) {
        let (at, help) = match misfit {
            DoesNotFit::Weights { .. } | DoesNotFit::NoRoom { .. } if takes_less_than_it_could(instance) => {
                (&instance.at, "raise `gpu_memory_utilization` or `tensor_parallelism`")
            }
            DoesNotFit::Weights { .. } | DoesNotFit::NoSizes(_) => {
                (&instance.application.model_at, "use servers with more GPU memory or a smaller model")
            }
            DoesNotFit::NoSheet(_) => (
                &self.top.descend(&["cluster", "servers"]),
                "use servers with another GPU (`ebbflow list gpus`), or describe this one in `cluster.gpus`",
            ),
            DoesNotFit::Uncalibrated(_) => (
                &self.top.descend(&["performance_model", "roofline", "calibration"]),
                "or leave `calibration` out for the constants that are built in",
            ),
            DoesNotFit::Blocks { .. } => (&instance.at, BLOCKS_HELP),
            DoesNotFit::Split { fits: Some(_), .. } => (&instance.at, "change `tensor_parallelism`"),
            DoesNotFit::NoRoom { fits: Some(_), .. } => {
                (&instance.at, "raise `tensor_parallelism`, or serve the model in a smaller `precision`")
            }
            DoesNotFit::Split { .. } | DoesNotFit::NoRoom { .. } => {
                (&instance.at, "use servers with more GPU memory, a smaller model or a smaller `precision`")
            }
        };
        at.refuse(misfit.to_string(), Some(help.to_owned()));
    }

    fn note_idle_gpus(&self, instance: &Use<'_, '_>, shape: InstanceShape) {
        self.top.log.note(format!(
            "application {}: an instance has all {} GPUs of a {} server to itself and computes on {} of them; raise \
             tensor_parallelism or use smaller servers",
            instance.application.spec.id,
            shape.gpus,
            instance.sku.name,
            shape.parallelism.gpus(),
        ));
    }

    /// Says which times are measured ones and which are those of formulas.
    fn note_kernels(&self, instance: &Use<'_, '_>, shape: InstanceShape) {
        let model = &instance.application.spec.model;
        let config = InstanceConfig { parallelism: shape.parallelism, ..instance.config };
        let Some(Ok(roofline)) = deploy(model, &instance.sku.gpu, config) else { return };
        let roofline = with_kernels(roofline, model);
        let Some(coverage) = roofline.coverage() else { return };
        let of = format!(
            "{} on {} × {}",
            model.name,
            roofline.deployment().parallelism.gpus(),
            instance.sku.gpu.name
        );
        self.top.log.note(match coverage.is_empty() {
            true => format!(
                "performance_model: the tables of kernels have nothing of {of} under {}; its times are the formulas'",
                roofline.deployment().backend
            ),
            false => format!("performance_model: kernels of {of}: {coverage}"),
        });
    }

    fn note_widened(&self, instance: &Use<'_, '_>, shape: InstanceShape) {
        let application = &instance.application.spec;
        let (asked, sku) = (instance.config.parallelism, instance.sku);
        if application.model.roofline.is_some() && asked == PARALLELISM {
            // All GPUs of the server: what one means who says nothing.
            return;
        }
        if asked.gpus() > sku.gpus {
            return self.top.log.note(format!(
                "application {}: a parallelism of {} GPUs is more than a {} server has; an instance takes the whole \
                 server and its times are those of tensor parallelism {}",
                application.id,
                asked.gpus(),
                sku.name,
                shape.parallelism.tensor,
            ));
        }
        self.top.log.note(format!(
            "application {}: tensor_parallelism {} is too small to hold {} on {} servers; an instance takes the whole \
             server ({} GPUs) and its times are those of tensor parallelism {}",
            application.id,
            instance.config.parallelism.tensor,
            application.model.name,
            instance.sku.name,
            shape.gpus,
            shape.parallelism.tensor,
        ));
    }

    fn check_row(&self, instance: &Use<'_, '_>, key: &LookupKey, table: &LookupTable) {
        let Some(PerformanceSpec::Lookup { decode_key, .. }) = self.performance else {
            return;
        };
        let Err(error) = table.lookup(key, *decode_key) else {
            return;
        };
        if table.has(key) {
            return self.top.descend(&["performance_model"]).refuse(error.to_string(), None);
        }
        let message = format!("the performance table has no row for {key}");
        let same_model = table.keys().filter(|row| row.model == key.model);
        let rows: Vec<String> = same_model.map(LookupKey::to_string).collect();
        if rows.is_empty() {
            let mut models: Vec<&str> = table.keys().map(|row| row.model.as_str()).collect();
            models.dedup();
            let help = "use a `db` file of your own or the `constant` model";
            let help = format!("it has {}; {help}", models.join(", "));
            instance.application.model_at.refuse(message, Some(help));
        } else {
            instance.at.refuse(message, Some(format!("it has {}", rows.join("; "))));
        }
    }
}

/// Whether the engine was told to leave memory alone that it would take by itself.
fn takes_less_than_it_could(instance: &Use<'_, '_>) -> bool {
    let share = instance.config.engine.cache_space().gpu_memory_utilization;
    share.is_some_and(|share| share < GPU_MEMORY_UTILIZATION)
}
