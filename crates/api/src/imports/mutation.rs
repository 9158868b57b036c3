//! Starting an import, and letting it write.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{
    Code, Error,
    attendance::imports::import::{self, NewImport},
    permission::ImportsCreate,
};

use super::{
    import::Import,
    preset::{ImportColumnInput, ImportPreset, mapping},
};
use crate::{
    error::Result,
    id,
    operation::Operation,
    requires::Requires,
    user_error::{Settled, UserError, payload},
};

/// A file to bring in.
#[derive(InputObject)]
pub struct StartImportInput {
    /// Its name, for people.
    file_name: String,
    /// Its bytes in base64 (RFC 4648, section 4): up to 16 MiB of them.
    content: String,
    /// The event that its attendance belongs to; without one only people are brought in.
    event_id: Option<ID>,
    /// What kind of file it is; found out when left out.
    preset: Option<ImportPreset>,
    /// Which column means what; the preset's own when left out.
    mapping: Option<Vec<ImportColumnInput>>,
    /// IANA time zone of times that name none; the organization's when left out.
    time_zone: Option<String>,
    /// Whether 03/04 is the third of April.
    #[graphql(default)]
    day_first: bool,
}

/// Which import to write.
#[derive(InputObject)]
pub struct CommitImportInput {
    /// One whose dry run is done.
    import_id: ID,
    /// Whether rows that resemble a known patron are other people, and made too.
    #[graphql(default)]
    create_suggested: bool,
}

/// What became of an order to import.
#[derive(SimpleObject)]
pub struct ImportPayload {
    /// The import after it.
    import: Option<Import>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// Mutations of imports.
#[derive(Default)]
pub struct ImportMutation;

#[Object]
impl ImportMutation {
    /// Takes a file in and orders its dry run, which changes nothing.
    #[graphql(directive = Requires::apply(ImportsCreate))]
    async fn start_import(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The file.")] input: StartImportInput,
    ) -> Option<Result<ImportPayload>> {
        let work = async {
            let scope = Operation::of(context).scope().await?;
            // Nobody waits for the database's writer while a large file is decoded.
            let input = input.read()?;
            import::start(scope.writer().await?, input).await
        };
        payload(work).await
    }

    /// Orders the writing of an import whose dry run is done; one that is written already stays as
    /// it is.
    #[graphql(directive = Requires::apply(ImportsCreate))]
    async fn commit_import(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: CommitImportInput,
    ) -> Option<Result<ImportPayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            import::commit(
                writer,
                id::decode(&input.import_id, "importId")?,
                input.create_suggested,
            )
            .await
        };
        payload(work).await
    }
}

impl StartImportInput {
    fn read(self) -> domain::Result<NewImport> {
        let content = STANDARD
            .decode(self.content)
            .map_err(|_| Error::refused(Code::Invalid, "content", "The content is not base64."))?;
        Ok(NewImport {
            file_name: self.file_name,
            content,
            event: self
                .event_id
                .map(|id| id::decode(&id, "eventId"))
                .transpose()?,
            preset: self.preset.map(Into::into),
            mapping: self.mapping.map(mapping),
            time_zone: self.time_zone,
            day_first: self.day_first,
        })
    }
}

impl From<Settled<import::Import>> for ImportPayload {
    fn from(settled: Settled<import::Import>) -> Self {
        Self {
            import: settled.value.map(Import::from),
            errors: settled.errors,
        }
    }
}
