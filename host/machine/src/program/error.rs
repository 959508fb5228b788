//! Errors: what is raised, what is caught, and what is tried again.

use hotcell_definition as dsl;
use hotcell_definition::TaskReference;

use super::compiler::{Compiler, Siblings, flow};
use super::data::{duration, expression};
use super::{Attempt, ErrorPlan, RetryPlan};
use crate::uri::UriPlan;

impl<'d> Compiler<'d> {
    pub(super) fn attempt(
        &mut self,
        attempt: &'d dsl::Try,
        reference: &TaskReference,
        siblings: &Siblings<'_>,
    ) -> Attempt {
        let catch = &attempt.catch;
        let components = self.components;
        let retry = match &catch.retry {
            Some(dsl::Reusable::Inline(policy)) => Some(policy),
            Some(dsl::Reusable::Named(name)) => components.retries.get(name),
            None => None,
        };
        Attempt {
            body: self.block(&attempt.tasks, &reference.join("try")),
            filter: catch.filter.clone(),
            variable: catch.variable.as_str().into(),
            when: catch.when.as_ref().map(expression),
            except_when: catch.except_when.as_ref().map(expression),
            retry: retry.map(retry_plan),
            handler: catch.tasks.as_ref().map(|tasks| self.block(tasks, &reference.join("catch").join("do"))),
            then: catch.then.as_ref().map(|then| flow(then, siblings)),
        }
    }

    pub(super) fn error(
        &mut self,
        error: &dsl::Reusable<dsl::ErrorDefinition>,
        reference: &TaskReference,
    ) -> ErrorPlan {
        let components = self.components;
        let definition = match error {
            dsl::Reusable::Inline(definition) => definition,
            dsl::Reusable::Named(name) => {
                components.errors.get(name).expect("validation refuses names that `use.errors` does not have")
            }
        };
        ErrorPlan {
            kind: UriPlan::new(&self.template(&definition.kind, reference)),
            status: self.template(&definition.status, reference),
            title: definition.title.as_ref().map(|title| self.template(title, reference)),
            detail: definition.detail.as_ref().map(|detail| self.template(detail, reference)),
        }
    }
}

fn retry_plan(policy: &dsl::RetryPolicy) -> RetryPlan {
    RetryPlan {
        when: policy.when.as_ref().map(expression),
        except_when: policy.except_when.as_ref().map(expression),
        delay: policy.delay.as_ref().map(duration),
        backoff: policy.backoff,
        attempts: policy.attempts,
        attempt_duration: policy.attempt_duration.as_ref().map(duration),
        duration: policy.duration.as_ref().map(duration),
        jitter: policy.jitter.as_ref().map(|jitter| (duration(&jitter.from), duration(&jitter.to))),
    }
}
