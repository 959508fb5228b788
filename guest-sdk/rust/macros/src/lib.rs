//! The attribute `#[hotcell::task]`. Documented where it is re-exported, in the crate `hotcell`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, FnArg, ItemFn, ReturnType, Signature, Type};

/// Makes a function the task of its crate. See the crate `hotcell`, which re-exports this.
#[proc_macro_attribute]
pub fn task(arguments: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let item = TokenStream::from(item);
    match expand(arguments.into(), item.clone()) {
        Ok(expansion) => expansion.into(),
        // The item stays, so that the only error is the one that says what is wrong with it.
        Err(error) => {
            let error = error.into_compile_error();
            quote!(#item #error).into()
        }
    }
}

fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream, Error> {
    if !arguments.is_empty() {
        return Err(Error::new_spanned(arguments, "#[hotcell::task] takes no arguments"));
    }
    let function: ItemFn = syn::parse2(item.clone()).map_err(|error| {
        Error::new(error.span(), "#[hotcell::task] stands on a function: `fn price(order: Order) -> Priced`")
    })?;
    let input = input_type(&function.sig)?;
    let perform = perform(&function.sig, input);

    Ok(quote! {
        #function

        // Exported macros live at the root of their crate, whatever module they stand in: a second task, anywhere in the
        // crate, is a second definition of this name.
        #[doc(hidden)]
        #[macro_export]
        macro_rules! __a_crate_has_one_hotcell_task {
            () => {};
        }

        const _: () = {
            #perform

            // On the host, where nothing exports the task, it is compiled all the same: mistakes show before there is a cell.
            #[cfg(not(target_arch = "wasm32"))]
            const _: fn(&str) -> ::hotcell::__private::Outcome = __hotcell_perform;

            #[cfg(target_arch = "wasm32")]
            struct __HotcellTask;

            #[cfg(target_arch = "wasm32")]
            impl ::hotcell::__private::bindings::Guest for __HotcellTask {
                fn run(input: ::std::string::String) -> ::hotcell::__private::bindings::Answer {
                    ::hotcell::__private::answer(__hotcell_perform, &input)
                }
            }

            #[cfg(target_arch = "wasm32")]
            ::hotcell::__private::bindings::export_task!(
                __HotcellTask with_types_in ::hotcell::__private::bindings
            );
        };
    })
}

/// The function that takes and returns JSON.
fn perform(signature: &Signature, input: Option<&Type>) -> TokenStream {
    let name = &signature.ident;
    let output = match &signature.output {
        ReturnType::Default => name.span(),
        ReturnType::Type(_, output) => output.span(),
    };
    // A type that serde cannot serialize is an error at the type, not at the attribute.
    let outcome = |returned: TokenStream| quote_spanned!(output=> ::hotcell::__private::Returned(#returned).outcome());
    let body = match input {
        None => outcome(quote!(#name())),
        Some(input) => {
            let outcome = outcome(quote!(#name(input)));
            quote_spanned!(input.span()=> ::hotcell::__private::perform::<#input>(json, |input| #outcome))
        }
    };
    let json = match input {
        None => quote!(_),
        Some(input) => quote_spanned!(input.span()=> json),
    };
    quote! {
        fn __hotcell_perform(#json: &str) -> ::hotcell::__private::Outcome {
            // Not needed when the function returns a `Result`.
            #[allow(unused_imports)]
            use ::hotcell::__private::Plain as _;
            #body
        }
    }
}

/// The type of the function's only parameter, or none when it has none.
fn input_type(signature: &Signature) -> Result<Option<&Type>, Error> {
    if let Some(keyword) = &signature.asyncness {
        return Err(Error::new_spanned(keyword, "a task is not async: a cell runs one call, which may take its time"));
    }
    if let Some(keyword) = &signature.unsafety {
        return Err(Error::new_spanned(keyword, "a task is not unsafe: hotcell could not keep what it demands"));
    }
    if let Some(keyword) = &signature.abi {
        return Err(Error::new_spanned(keyword, "a task has Rust's own ABI: #[hotcell::task] makes the export"));
    }
    if !signature.generics.params.is_empty() || signature.generics.where_clause.is_some() {
        return Err(Error::new_spanned(
            &signature.generics,
            "a task is not generic: its input and output have one type each",
        ));
    }
    if let Some(more) = signature.inputs.iter().nth(1) {
        return Err(Error::new_spanned(
            more,
            "a task takes one input: put what it needs into one struct that derives `serde::Deserialize`",
        ));
    }
    match signature.inputs.first() {
        None => Ok(None),
        Some(FnArg::Receiver(receiver)) => {
            Err(Error::new_spanned(receiver, "a task is a function, not a method: each call has a cell of its own"))
        }
        Some(FnArg::Typed(argument)) => match &*argument.ty {
            Type::Reference(reference) => {
                Err(Error::new_spanned(reference, "a task takes its input by value, `String` rather than `&str`"))
            }
            Type::ImplTrait(input) => Err(Error::new_spanned(input, "a task's input is one type, not any that fits")),
            input => Ok(Some(input)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said about `#[hotcell::task(arguments)] item`, or nothing when it is accepted.
    fn refusal(arguments: &str, item: &str) -> Option<String> {
        let parse = |text: &str| text.parse::<TokenStream>().expect("the test's source is made of tokens");
        expand(parse(arguments), parse(item)).err().map(|error| error.to_string())
    }

    #[test]
    fn functions_of_one_or_no_value_are_tasks() {
        let accepted = [
            "fn price(order: Order) -> Result<Priced, Problem> { todo!() }",
            "pub fn price(Order { lines, .. }: Order) -> Priced { todo!() }",
            "fn tick() {}",
            "fn total(lines: Vec<[u32; 2]>) -> impl serde::Serialize { 1 }",
        ];
        for item in accepted {
            assert_eq!(refusal("", item), None, "{item}");
        }
    }

    #[test]
    fn what_is_no_task_is_refused_with_what_to_do_instead() {
        let refused = [
            ("", "struct Order;", "stands on a function"),
            ("", "fn two(a: u32, b: u32) {}", "put what it needs into one struct"),
            ("", "fn method(self) {}", "not a method"),
            ("", "fn borrowed(name: &str) {}", "`String` rather than `&str`"),
            ("", "fn any(value: impl Sized) {}", "one type"),
            ("", "fn generic<T>(value: T) {}", "not generic"),
            ("", "async fn later() {}", "not async"),
            ("", "unsafe fn sharp() {}", "not unsafe"),
            ("", "extern \"C\" fn foreign() {}", "Rust's own ABI"),
            ("name = \"price\"", "fn price() {}", "takes no arguments"),
        ];
        for (arguments, item, expected) in refused {
            let said = refusal(arguments, item).unwrap_or_default();
            assert!(said.contains(expected), "{item}: {said}");
        }
    }
}
