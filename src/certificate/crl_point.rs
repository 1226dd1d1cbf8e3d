//! Distribution points of CRLs: in a certificate where its CRLs are to be had, in a CRL what it covers
//! (RFC 5280 sections 4.2.1.13 and 5.2.5).

use super::Malformed;
use super::der::{self, Element, Elements};
use super::names::GeneralName;

/// All reason flags (`CRLDP_ALL_REASONS`).
pub const ALL_REASONS: u16 = 0x807f;

/// One entry of cRLDistributionPoints, or the one of a CRL's issuingDistributionPoint.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CrlPoint {
    /// Its name.
    pub name: Option<CrlPointName>,
    /// The reasons it covers, as bits; `None` means all.
    pub reasons: Option<u16>,
    /// Who signs its CRLs, if not the certificate's issuer.
    pub issuer: Option<Vec<GeneralName>>,
}

/// The name of a distribution point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CrlPointName {
    /// Full names, mostly URIs.
    Full(Vec<GeneralName>),
    /// Relative to the issuer's name: the DER of the set.
    Relative(Vec<u8>),
}

pub(super) fn crl_point(inside: &mut Elements<'_>) -> Result<CrlPoint, Malformed> {
    let mut point = CrlPoint::default();
    if let Some(name) = inside.optional(der::context_constructed(0), "distribution point name")? {
        point.name = Some(crl_point_name(&name)?);
    }
    if let Some(reasons) = inside.optional(der::context(1), "reasons")? {
        point.reasons = Some(reason_bits(&reasons)?);
    }
    if let Some(issuer) = inside.optional(der::context_constructed(2), "CRL issuer")? {
        point.issuer = Some(GeneralName::decode_all(issuer.inside())?);
    }
    inside.end("distribution point")?;
    Ok(point)
}

pub(super) fn crl_point_name(tagged: &Element<'_>) -> Result<CrlPointName, Malformed> {
    let mut inside = tagged.inside();
    let choice = inside.any("distribution point name")?;
    inside.end("distribution point name")?;
    match choice.tag {
        tag if tag == der::context_constructed(0) => {
            GeneralName::decode_all(choice.inside()).map(CrlPointName::Full)
        }
        tag if tag == der::context_constructed(1) => Ok(CrlPointName::Relative(choice.content.to_vec())),
        _ => Err(choice.wrong("distribution point name is of an unknown type")),
    }
}

/// Reason flags as OpenSSL keeps them: the first byte in the low bits, of the second the first bit (0x80) at 0x8000.
pub(super) fn reason_bits(element: &Element<'_>) -> Result<u16, Malformed> {
    let (bits, _) = der::bits(element, "reasons")?;
    let byte = |index: usize| u16::from(bits.get(index).copied().unwrap_or(0));
    Ok((byte(0) | byte(1) << 8) & ALL_REASONS)
}
