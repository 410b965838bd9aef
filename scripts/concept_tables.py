"""The judgments behind rules/concepts: names, titles, units, unions and the few additions to the imported value sets.

Everything a clinician or maintainer may want to change by hand is here; import-terminology.py holds only mechanics.
"""

# Imported concept -> Concord's id. What is not listed loses its `med-` or `obs-` prefix and keeps the rest.
RENAMES = {
    "anxiety-any": "anxiety-disorder",
    "bipolar-any": "bipolar-disorder",
    "depression-any-active": "depressive-disorder",
    "oud-in-remission": "opioid-use-disorder-in-remission",
    "med-antipsychotic-atypical": "atypical-antipsychotic",
    "med-antipsychotic-typical": "typical-antipsychotic",
    "med-buprenorphine-implant": "buprenorphine-implant",
    "med-buprenorphine-oud-formulation": "buprenorphine-for-oud",
    "med-buprenorphine-pain-formulation": "buprenorphine-for-pain",
    "med-buprenorphine-xr-injection": "buprenorphine-extended-release",
    "med-cyp2d6-inhibitor": "cyp2d6-inhibitor",
    "med-cyp3a4-inducer-moderate": "cyp3a4-inducer-moderate",
    "med-cyp3a4-inducer-strong": "cyp3a4-inducer-strong",
    "med-naltrexone-xr-injection": "naltrexone-extended-release",
    "med-opioid-agonist-with-sequestered-antagonist": "opioid-with-sequestered-antagonist",
    "med-qt-prolonging-known": "qt-prolonging-known",
    "med-qt-prolonging-possible": "qt-prolonging-possible",
    "obs-alt": "alanine-aminotransferase",
    "obs-ast": "aspartate-aminotransferase",
    "obs-audit-c-total": "audit-c",
    "obs-audit-total": "audit",
    "obs-bmi": "body-mass-index",
    "obs-bp-panel": "blood-pressure-panel",
    "obs-creatinine-molar": "creatinine",
    "obs-cssrs-full-panel": "c-ssrs-panel",
    "obs-cssrs-screener-panel": "c-ssrs-screener-panel",
    "obs-dast10-panel": "dast-10-panel",
    "obs-dast10-total": "dast-10",
    "obs-diastolic-bp": "diastolic-blood-pressure",
    "obs-ecg-study": "electrocardiogram",
    "obs-gad7-panel": "gad-7-panel",
    "obs-gad7-total": "gad-7",
    "obs-glasgow-panel": "glasgow-coma-scale-panel",
    "obs-glasgow-total": "glasgow-coma-scale",
    "obs-hbv-core-antibody-igm": "hepatitis-b-core-antibody-igm",
    "obs-hbv-core-antibody-total": "hepatitis-b-core-antibody",
    "obs-hbv-surface-antibody": "hepatitis-b-surface-antibody",
    "obs-hbv-surface-antigen": "hepatitis-b-surface-antigen",
    "obs-hcv-antibody": "hepatitis-c-antibody",
    "obs-hcv-rna": "hepatitis-c-rna",
    "obs-pc-ptsd5-panel": "pc-ptsd-5-panel",
    "obs-pc-ptsd5-total": "pc-ptsd-5",
    "obs-pcl5-panel": "pcl-5-panel",
    "obs-pcl5-total": "pcl-5",
    "obs-pclc-panel": "pcl-c-panel",
    "obs-phq2-total": "phq-2",
    "obs-phq9-item9": "phq-9-item-9",
    "obs-phq9-panel": "phq-9-panel",
    "obs-phq9-total": "phq-9",
    "obs-qt-uncorrected": "qt-interval-uncorrected",
    "obs-qtc": "qtc-interval",
    "obs-spo2": "oxygen-saturation",
    "obs-systolic-bp": "systolic-blood-pressure",
}

# Left out: `med-moud` counts oral naltrexone as treatment for opioid use disorder, which the rules must not;
# `obs-cssrs-item` is rebuilt below, one concept an item.
DROPPED = {"med-moud", "obs-cssrs-item"}

C_SSRS_ITEMS = {
    "93246-7": ("c-ssrs-wish-to-be-dead", "C-SSRS 1, wish to be dead"),
    "93247-5": ("c-ssrs-suicidal-thoughts", "C-SSRS 2, suicidal thoughts"),
    "93248-3": ("c-ssrs-method", "C-SSRS 3, thoughts of a method"),
    "93249-1": ("c-ssrs-intent", "C-SSRS 4, some intent"),
    "93250-9": ("c-ssrs-plan-and-intent", "C-SSRS 5, plan and intent"),
    "93267-3": ("c-ssrs-behavior-lifetime", "C-SSRS 6, suicidal behavior ever"),
    "93269-9": ("c-ssrs-behavior-3-months", "C-SSRS 6, suicidal behavior within 3 months"),
}

# Instruments without a LOINC code in the data: codes of Concord's own system.
LOCAL = {
    "ace-score": "adverse childhood experiences score",
    "asq": "Ask Suicide-Screening Questions",
    "barc-10": "Brief Assessment of Recovery Capital",
    "c-ssrs-screener": "C-SSRS screener, highest item answered yes",
    "child-pugh": "Child-Pugh score",
    "cows": "Clinical Opiate Withdrawal Scale",
    "isi": "Insomnia Severity Index",
    "mdq": "Mood Disorder Questionnaire",
    "msi-bpd": "McLean screening for borderline personality disorder",
}

# Concept -> (canonical UCUM unit, molar mass in g/mol, valence). A molar mass only where mass and molar units are
# both in use for the analyte, a valence only where equivalents are.
UNITS = {
    "alanine-aminotransferase": ("U/L", None, None),
    "albumin": ("g/dL", None, None),
    "aspartate-aminotransferase": ("U/L", None, None),
    "bilirubin-direct": ("mg/dL", "584.66", None),
    "bilirubin-total": ("mg/dL", "584.66", None),
    "body-height": ("cm", None, None),
    "body-mass-index": ("kg/m2", None, None),
    "body-temperature": ("Cel", None, None),
    "body-weight": ("kg", None, None),
    "creatinine": ("mg/dL", "113.12", None),
    "diastolic-blood-pressure": ("mm[Hg]", None, None),
    "egfr": ("mL/min/{1.73_m2}", None, None),
    "heart-rate": ("/min", None, None),
    "hiv-viral-load": ("{copies}/mL", None, None),
    "inr": ("{INR}", None, None),
    "lithium-level": ("mmol/L", "6.94", "1"),
    "magnesium": ("mg/dL", "24.305", "2"),
    "oxygen-saturation": ("%", None, None),
    "platelets": ("10*3/uL", None, None),
    "potassium": ("mmol/L", "39.098", "1"),
    "qt-interval-uncorrected": ("ms", None, None),
    "qtc-interval": ("ms", None, None),
    "respiratory-rate": ("/min", None, None),
    "sodium": ("mmol/L", "22.990", "1"),
    "systolic-blood-pressure": ("mm[Hg]", None, None),
    "valproate-level": ("ug/mL", "144.21", None),
} | {
    name: ("{score}", None, None)
    for name in [*LOCAL, "audit", "audit-c", "dast-10", "gad-7", "glasgow-coma-scale", "pc-ptsd-5", "pcl-5", "phq-2",
                 "phq-9", "phq-9-item-9"]
}

SUBSTANCES = ["alcohol", "amphetamine", "cannabis", "cocaine", "hallucinogen", "inhalant", "other-substance", "sedative"]

# Imported concepts that other imported concepts lie wholly within: the part is included, the rest stays written out.
PARTS = {f"{name}-use-disorder": [f"{name}-use-disorder-mild", f"{name}-use-disorder-moderate-severe"]
         for name in SUBSTANCES} | {
    "adverse-childhood-experience": ["history-of-childhood-abuse"],
    "bipolar-disorder": ["bipolar-i-disorder", "bipolar-ii-disorder"],
    "combat-or-military": ["combat-exposure"],
    "eating-disorder": ["eating-disorder-bulimia-or-anorexia"],
    "history-of-abuse": ["history-of-adult-abuse", "history-of-childhood-abuse"],
    "major-depressive-disorder": ["major-depressive-disorder-single"],
    "opioid-overdose": ["opioid-overdose-accidental", "opioid-overdose-assault", "opioid-overdose-intentional-self-harm",
                        "opioid-overdose-undetermined-intent"],
    "ptsd": ["ptsd-acute", "ptsd-chronic", "ptsd-unspecified"],
    "schizophrenia-spectrum": ["schizophrenia"],
}

# New concept -> (title, members).
UNIONS = {
    "opioid-use-disorder": ("opioid use disorder", ["opioid-use-disorder-mild", "opioid-use-disorder-moderate-severe"]),
    "opioid-induced-mental-disorder": ("opioid-induced mental disorder", [
        "opioid-induced-anxiety-disorder", "opioid-induced-mood-disorder", "opioid-induced-other-disorder",
        "opioid-induced-psychotic-disorder", "opioid-induced-sleep-disorder"]),
    "stimulant-use-disorder": ("stimulant use disorder", ["amphetamine-use-disorder", "cocaine-use-disorder"]),
    "substance-use-disorder-other-than-opioid": ("substance use disorder other than opioid or tobacco", [
        *(f"{name}-use-disorder" for name in SUBSTANCES), "drug-use-disorder-unspecified"]),
    # Neurocognitive and intellectual disorders, sleep disorders and delirium are left to their own concepts: they do
    # not ask for treatment of two disorders together. Substance-induced disorders carry substance codes.
    "mental-disorder": ("mental disorder other than a substance use disorder", [
        "acute-stress-disorder", "adhd", "adjustment-disorder", "agoraphobia", "anxiety-disorder", "autism-spectrum",
        "bipolar-disorder", "borderline-personality-disorder", "cyclothymia", "depressive-disorder",
        "dissociative-disorder", "eating-disorder", "gambling-disorder", "obsessive-compulsive-disorder",
        "perinatal-depression", "personality-disorder-other", "postpartum-psychosis", "ptsd", "schizophrenia-spectrum",
        "somatic-symptom-disorder"]),
    "suicidal-thoughts-or-behavior": ("suicidal thoughts or behavior, now or before", [
        "history-of-suicidal-behavior", "history-of-suicide-attempt-or-self-harm", "suicidal-ideation",
        "suicide-attempt", "suicide-attempt-sequela", "suicide-risk-elevated"]),
    "traumatic-experience": ("traumatic experience", [
        "adverse-childhood-experience", "combat-exposure", "crime-victim", "current-abuse-confirmed",
        "current-abuse-suspected", "disaster-or-terrorism", "history-of-abuse", "human-trafficking",
        "intimate-partner-violence", "physical-abuse", "psychological-abuse", "sexual-abuse"]),
    "antidepressant": ("antidepressant", ["bupropion", "maoi", "mirtazapine", "nefazodone", "other-antidepressant", "snri",
                                          "ssri", "tca", "trazodone"]),
    "antipsychotic": ("antipsychotic", ["atypical-antipsychotic", "typical-antipsychotic"]),
    "any-opioid": ("any opioid", ["buprenorphine", "methadone", "opioid-full-agonist", "opioid-mixed-agonist-antagonist",
                                  "opioid-nonanalgesic"]),
    "cns-depressant": ("central nervous system depressant other than an opioid", [
        "barbiturate", "benzodiazepine", "gabapentinoid", "muscle-relaxant", "orexin-antagonist", "other-sedative",
        "z-drug"]),
    "cyp3a4-inducer": ("CYP3A4 inducer", ["cyp3a4-inducer-moderate", "cyp3a4-inducer-strong"]),
    "cyp3a4-inhibitor": ("CYP3A4 inhibitor", ["cyp3a4-inhibitor-moderate", "cyp3a4-inhibitor-strong"]),
    "medication-for-oud": ("medication for opioid use disorder", ["buprenorphine-for-oud", "methadone",
                                                                "naltrexone-extended-release"]),
    "mood-stabilizer": ("mood stabilizer", ["carbamazepine", "lamotrigine", "lithium", "oxcarbazepine", "valproate"]),
    "opioid-agonist": ("opioid agonist medication: methadone or any buprenorphine", ["buprenorphine", "methadone"]),
    "opioid-agonist-for-oud": ("opioid agonist for opioid use disorder", ["buprenorphine-for-oud", "methadone"]),
    "opioid-reversal": ("opioid overdose reversal", ["nalmefene", "naloxone-rescue"]),
    "qt-prolonging": ("QT-prolonging medication", ["qt-prolonging-known", "qt-prolonging-possible"]),
    "c-ssrs-item": ("C-SSRS item", [name for name, _ in C_SSRS_ITEMS.values()]),
    "urine-illicit-opioid": ("urine opioid other than buprenorphine or methadone", [
        "urine-fentanyl", "urine-heroin", "urine-opiates", "urine-oxycodone"]),
}

# A sequela is not a current event. History concepts keep it.
NO_SEQUELA = ["current-abuse-confirmed", "current-abuse-suspected", "head-injury-tbi", "opioid-adverse-effect",
              "opioid-overdose", "opioid-overdose-accidental", "opioid-overdose-assault", "opioid-overdose-fentanyl",
              "opioid-overdose-heroin", "opioid-overdose-intentional-self-harm", "opioid-overdose-methadone",
              "opioid-overdose-undetermined-intent", "opioid-underdosing", "suicide-attempt"]
SEQUELAE = {"opioid-overdose-sequela": ("opioid-overdose", "late effect of an opioid overdose"),
            "suicide-attempt-sequela": ("suicide-attempt", "late effect of a suicide attempt")}

# Codes gone from the current release that no current entry is a prefix of, and that old records still carry.
RETIRED = {
    "opioid-adverse-effect": ["T40.4X5-"],
    "opioid-overdose-accidental": ["T40.4X1-"],
    "opioid-overdose-assault": ["T40.4X3-"],
    "opioid-overdose-intentional-self-harm": ["T40.4X2-"],
    "opioid-overdose-sequela": ["T40.4X1S", "T40.4X2S", "T40.4X3S", "T40.4X4S"],
    "opioid-overdose-undetermined-intent": ["T40.4X4-"],
    "opioid-underdosing": ["T40.4X6-"],
    "suicide-attempt": ["T40.4X2-", "T40.7X2-", "T52.8X2-"],
    "suicide-attempt-sequela": ["T40.4X2S", "T40.7X2S", "T52.8X2S"],
}

# Ingredients confirmed by name in the ingredient map that the value sets lack.
EXTRA_INGREDIENTS = {
    "barbiturate": ["719", "9624"],  # amobarbital, secobarbital
    "cyp3a4-inhibitor-moderate": ["358255"],  # aprepitant
    "opioid-antagonist-peripheral": ["480639"],  # alvimopan
    "opioid-full-agonist": ["480", "2001352"],  # alfentanil, benzhydrocodone
    "qt-prolonging-known": ["18330", "596724"],  # arsenic trioxide, anagrelide
}

# Salts that the ingredient map lacks: valproic acid and divalproex under valproate.
EXTRA_SALTS = {"11118": ["40254"], "266856": ["40254"]}

OPIOID_PARTNERS = ["1819", "7052", "7804", "8001"]  # buprenorphine, morphine, oxycodone, pentazocine
# A product that also contains one of these is not the concept: the antagonist is there to deter injection.
WITHOUT = {"naloxone": OPIOID_PARTNERS, "naloxone-rescue": OPIOID_PARTNERS, "naltrexone": ["7052", "7804"],
           "opioid-antagonist": OPIOID_PARTNERS}

# The ingredient map gives tilidine with naloxone as naloxone alone.
TILIDINE_NALOXONE = ["411499", "431676", "431678", "431679"]

# Concepts about effects on the whole body: products applied to skin, eye or ear are excepted.
SYSTEMIC = ["benzodiazepine", "cyp2d6-inhibitor", "cyp3a4-inducer-moderate", "cyp3a4-inducer-strong",
            "cyp3a4-inhibitor-moderate", "cyp3a4-inhibitor-strong", "linezolid", "maoi", "methadone-interaction-antiretroviral",
            "methylene-blue", "mirtazapine", "muscle-relaxant", "nsaid", "other-sedative", "propranolol",
            "qt-prolonging-known", "qt-prolonging-possible", "serotonergic-other", "tca"]

RELAPSING = ["opioid-use-disorder", *(f"{name}-use-disorder" for name in SUBSTANCES), "tobacco-use-disorder"]

ACRONYMS = {
    "adhd": "ADHD", "asq": "ASQ", "audit": "AUDIT", "c-ssrs": "C-SSRS", "cns": "CNS", "copd": "COPD", "cyp2d6": "CYP2D6",
    "cyp3a4": "CYP3A4", "dast": "DAST", "gad": "GAD", "gi": "gastrointestinal", "hiv": "HIV", "igm": "IgM", "inr": "INR",
    "maoi": "MAO inhibitor", "mdd": "major depression,", "nsaid": "NSAID", "oud": "opioid use disorder", "phq": "PHQ",
    "ptsd": "PTSD", "qt": "QT", "rna": "RNA", "snri": "SNRI", "ssri": "SSRI", "tbi": "with brain injury",
    "tca": "tricyclic antidepressant",
}
TITLES = {
    "abnormal-ecg": "abnormal ECG",
    "abuse-mental-health-encounter": "mental health care after abuse",
    "abuse-perpetrator": "person who committed abuse",
    "adhd-nonstimulant": "ADHD medication other than a stimulant",
    "adulterant-exposure": "harm from an adulterant of street drugs",
    "alcohol-use-unspecified": "alcohol use without a stated disorder",
    "alpha2-agonist": "alpha-2 agonist",
    "amphetamine-use-disorder": "amphetamine-type stimulant use disorder",
    "amphetamine-use-disorder-in-remission": "amphetamine-type stimulant use disorder, in remission",
    "amphetamine-use-disorder-mild": "amphetamine-type stimulant use disorder, mild",
    "amphetamine-use-disorder-moderate-severe": "amphetamine-type stimulant use disorder, moderate or severe",
    "amphetamine-use-unspecified": "amphetamine-type stimulant use without a stated disorder",
    "anxiety-disorder-other": "other anxiety disorder",
    "audit": "AUDIT, total",
    "audit-c": "AUDIT-C, total",
    "audit-c-panel": "AUDIT-C, panel",
    "audit-panel": "AUDIT, panel",
    "autism-spectrum": "autism spectrum disorder",
    "bilirubin-direct": "direct bilirubin",
    "bilirubin-total": "total bilirubin",
    "bipolar-current-episode-depressed": "bipolar disorder, depressed now",
    "bipolar-current-episode-hypomanic": "bipolar disorder, hypomanic now",
    "bipolar-current-episode-manic": "bipolar disorder, manic now",
    "bipolar-current-episode-mixed": "bipolar disorder, mixed now",
    "bipolar-disorder-other": "other bipolar disorder",
    "bipolar-i-disorder": "bipolar I disorder",
    "bipolar-ii-disorder": "bipolar II disorder",
    "bipolar-in-remission": "bipolar disorder, in remission",
    "bipolar-psychotic-features": "bipolar disorder with psychosis",
    "buprenorphine": "buprenorphine, any form",
    "buprenorphine-extended-release": "extended-release buprenorphine",
    "buprenorphine-for-oud": "buprenorphine in a form for opioid use disorder",
    "buprenorphine-for-pain": "buprenorphine in a form for pain",
    "buprenorphine-naloxone": "buprenorphine with naloxone",
    "buprenorphine-veterinary": "buprenorphine for animals",
    "c-ssrs-panel": "C-SSRS, full panel",
    "c-ssrs-screener-panel": "C-SSRS screener, panel",
    "cancer-related-pain": "cancer pain",
    "cannabis-use-unspecified": "cannabis use without a stated disorder",
    "cardiac-arrhythmia-other": "other cardiac arrhythmia",
    "chronic-liver-disease-other": "other chronic liver disease",
    "clonidine": "clonidine",
    "cocaine-use-unspecified": "cocaine use without a stated disorder",
    "combat-or-military": "combat or military service stress",
    "constipation-drug-induced": "constipation from a drug",
    "crime-victim": "victim of crime",
    "current-abuse-confirmed": "current abuse, confirmed",
    "current-abuse-suspected": "current abuse, suspected",
    "cyp3a4-inducer-moderate": "moderate CYP3A4 inducer",
    "cyp3a4-inducer-strong": "strong CYP3A4 inducer",
    "cyp3a4-inhibitor-moderate": "moderate CYP3A4 inhibitor",
    "cyp3a4-inhibitor-strong": "strong CYP3A4 inhibitor",
    "dast-10": "DAST-10, total",
    "dast-10-panel": "DAST-10, panel",
    "delivery": "childbirth",
    "depression-severity-mild": "mild depressive episode",
    "depression-severity-moderate": "moderate depressive episode",
    "depression-severity-severe": "severe depressive episode",
    "depressive-disorder": "depressive disorder, active",
    "depressive-disorder-other": "other depressive disorder",
    "drug-overdose-unspecified": "drug overdose, drug not named",
    "drug-seeking-malingering": "drug seeking or malingering",
    "drug-use-delivery-or-puerperium": "drug use during or after childbirth",
    "drug-use-disorder-unspecified": "drug use disorder, drug not named",
    "eating-disorder-bulimia-or-anorexia": "bulimia or anorexia nervosa",
    "egfr": "estimated glomerular filtration rate",
    "encounter-administrative": "administrative visit",
    "encounter-alcohol-counseling": "alcohol counseling visit",
    "encounter-drug-abuse-counseling": "drug use counseling visit",
    "encounter-drug-level-monitoring": "drug level monitoring visit",
    "encounter-drug-test": "drug test visit",
    "encounter-mental-health-screening": "mental health screening visit",
    "encounter-palliative-care": "palliative care",
    "encounter-preventive": "preventive visit",
    "encounter-tobacco-counseling": "tobacco counseling visit",
    "family-history-intellectual-disability": "family history of intellectual disability",
    "family-history-mental-illness": "family history of mental illness",
    "family-history-substance-use": "family history of substance use",
    "finding-of-opiate-in-blood": "opiate found in blood",
    "gad-7": "GAD-7, total",
    "gad-7-panel": "GAD-7, panel",
    "glasgow-coma-scale": "Glasgow Coma Scale",
    "glasgow-coma-scale-panel": "Glasgow Coma Scale, panel",
    "hallucinogen-use-unspecified": "hallucinogen use without a stated disorder",
    "head-injury-sequela": "late effect of head injury",
    "head-injury-tbi": "head injury or traumatic brain injury",
    "heart-block-bradycardia": "heart block or bradycardia",
    "hepatitis-b": "hepatitis B",
    "hepatitis-b-core-antibody": "hepatitis B core antibody",
    "hepatitis-b-core-antibody-igm": "hepatitis B core IgM antibody",
    "hepatitis-b-surface-antibody": "hepatitis B surface antibody",
    "hepatitis-b-surface-antigen": "hepatitis B surface antigen",
    "hepatitis-c": "hepatitis C",
    "hepatitis-c-antibody": "hepatitis C antibody",
    "hepatitis-c-rna": "hepatitis C RNA",
    "history-of-nonsuicidal-self-harm": "history of nonsuicidal self-harm",
    "history-of-suicide-attempt-or-self-harm": "history of suicide attempt or self-harm",
    "ileus-bowel-obstruction": "ileus or bowel obstruction",
    "inhalant-use-unspecified": "inhalant use without a stated disorder",
    "injection-related-infection": "infection related to injecting",
    "inr": "international normalized ratio",
    "lactation-disorder": "disorder of lactation",
    "linezolid": "linezolid or tedizolid",
    "long-term-drug-therapy-other": "other long-term medication",
    "long-term-opioid-analgesic-use": "long-term opioid use for pain",
    "major-depression-psychotic-features": "major depression with psychosis",
    "major-depressive-disorder-recurrent": "major depressive disorder, recurrent",
    "major-depressive-disorder-single": "major depressive disorder, single episode",
    "mdd-recurrent-full-remission": "recurrent major depression, in full remission",
    "mdd-recurrent-mild": "recurrent major depression, mild",
    "mdd-recurrent-moderate": "recurrent major depression, moderate",
    "mdd-recurrent-partial-remission": "recurrent major depression, in partial remission",
    "mdd-recurrent-psychotic": "recurrent major depression, with psychosis",
    "mdd-recurrent-remission-unspecified": "recurrent major depression, in remission, degree not stated",
    "mdd-recurrent-severe": "recurrent major depression, severe",
    "mdd-recurrent-unspecified": "recurrent major depression, severity not stated",
    "mdd-single-full-remission": "single-episode major depression, in full remission",
    "mdd-single-mild": "single-episode major depression, mild",
    "mdd-single-moderate": "single-episode major depression, moderate",
    "mdd-single-partial-remission": "single-episode major depression, in partial remission",
    "mdd-single-psychotic": "single-episode major depression, with psychosis",
    "mdd-single-severe": "single-episode major depression, severe",
    "mdd-single-unspecified": "single-episode major depression, severity not stated",
    "methadone-injectable": "methadone for injection",
    "methadone-interaction-antiretroviral": "antiretroviral that interacts with methadone",
    "methadone-oral": "methadone by mouth",
    "naloxone": "naloxone without an opioid",
    "naloxone-rescue": "naloxone for overdose",
    "naltrexone": "naltrexone, any form",
    "naltrexone-bupropion": "naltrexone with bupropion",
    "naltrexone-extended-release": "extended-release naltrexone",
    "naltrexone-oral": "naltrexone by mouth",
    "nonsuicidal-self-harm-current": "current nonsuicidal self-harm",
    "obesity-hypoventilation": "obesity hypoventilation syndrome",
    "obsessive-compulsive-disorder": "obsessive-compulsive disorder",
    "olanzapine-samidorphan": "olanzapine with samidorphan",
    "opioid-adverse-effect": "adverse effect of an opioid",
    "opioid-agonist-therapy": "treatment with an opioid agonist",
    "opioid-antagonist": "opioid antagonist without an opioid",
    "opioid-antagonist-peripheral": "peripheral opioid antagonist",
    "opioid-full-agonist": "full opioid agonist",
    "opioid-induced-anxiety-disorder": "opioid-induced anxiety disorder",
    "opioid-induced-mood-disorder": "opioid-induced mood disorder",
    "opioid-induced-other-disorder": "other opioid-induced disorder",
    "opioid-induced-psychotic-disorder": "opioid-induced psychotic disorder",
    "opioid-induced-sleep-disorder": "opioid-induced sleep disorder",
    "opioid-mixed-agonist-antagonist": "mixed opioid agonist and antagonist",
    "opioid-nonanalgesic": "opioid not used for pain",
    "opioid-overdose-accidental": "opioid overdose, accidental",
    "opioid-overdose-assault": "opioid overdose, assault",
    "opioid-overdose-fentanyl": "fentanyl overdose",
    "opioid-overdose-heroin": "heroin overdose",
    "opioid-overdose-intentional-self-harm": "opioid overdose, self-harm",
    "opioid-overdose-methadone": "methadone overdose",
    "opioid-overdose-undetermined-intent": "opioid overdose, intent unknown",
    "opioid-underdosing": "opioid taken below the prescribed dose",
    "opioid-use-disorder-moderate-severe": "opioid use disorder, moderate or severe",
    "opioid-use-unspecified": "opioid use without a stated disorder",
    "opioid-with-sequestered-antagonist": "opioid with a deterrent antagonist",
    "other-substance-use-unspecified": "other substance use without a stated disorder",
    "oxcarbazepine": "oxcarbazepine or eslicarbazepine",
    "oxygen-saturation": "oxygen saturation",
    "pc-ptsd-5": "PC-PTSD-5, total",
    "pc-ptsd-5-panel": "PC-PTSD-5, panel",
    "pcl-5": "PCL-5, total",
    "pcl-5-panel": "PCL-5, panel",
    "pcl-c-panel": "PCL-C, panel",
    "personality-disorder-other": "other personality disorder",
    "phq-2": "PHQ-2, total",
    "phq-9": "PHQ-9, total",
    "phq-9-item-9": "PHQ-9 item 9, thoughts of death or self-harm",
    "phq-9-panel": "PHQ-9, panel",
    "pregnancy-abortive-outcome": "pregnancy that ended early",
    "psychosocial-stressor-other": "other psychosocial stressor",
    "ptsd": "posttraumatic stress disorder",
    "ptsd-acute": "acute PTSD",
    "ptsd-chronic": "chronic PTSD",
    "ptsd-unspecified": "PTSD, course not stated",
    "qt-interval-uncorrected": "QT interval, not corrected",
    "qt-prolonging-known": "medication with known torsades risk",
    "qt-prolonging-possible": "medication with possible torsades risk",
    "qtc-interval": "QTc interval",
    "renal-failure-acute": "acute kidney failure",
    "renal-impairment-severe": "severe kidney impairment",
    "respiratory-depression-risk-other": "other risk of respiratory depression",
    "schizophrenia-spectrum": "schizophrenia spectrum disorder",
    "sedative-use-unspecified": "sedative use without a stated disorder",
    "serotonergic-other": "other serotonergic medication",
    "sleep-apnea-central": "central sleep apnea",
    "smoking-cessation": "smoking cessation medication",
    "stimulant": "stimulant medication",
    "suicide-risk-elevated": "raised suicide risk",
    "tobacco-status": "tobacco use status",
    "utilities-insecurity": "utility insecurity",
    "wakefulness": "wakefulness-promoting medication",
    "z-drug": "z-drug hypnotic",
}

# File -> concepts: every concept lands in the first file whose test accepts it.
OBSERVATION_FILES = {"urine": lambda name: name.startswith("urine-"), "observations": lambda name: True}
INTERACTIONS = {"qt-prolonging", "qt-prolonging-known", "qt-prolonging-possible", "serotonergic-other", "linezolid",
                "methylene-blue", "methadone-interaction-antiretroviral", "nsaid"}
MEDICATION_FILES = {"interactions": lambda name: name in INTERACTIONS or name.startswith("cyp"),
                    "opioid-medications": lambda name: any(word in name for word in (
                        "opioid", "buprenorphine", "methadone", "naltrexone", "naloxone", "nalmefene", "-oud", "lofexidine")),
                    "medications": lambda name: True}
PREGNANCY = {"abuse-in-pregnancy", "breastfeeding", "delivery", "drug-use-delivery-or-puerperium", "lactation-disorder",
             "neonatal-opioid-withdrawal", "opioid-use-in-pregnancy", "postpartum", "pregnancy",
             "pregnancy-abortive-outcome"}
SOCIAL = {
    "abuse-mental-health-encounter", "abuse-perpetrator", "adverse-childhood-experience", "bereavement",
    "combat-exposure", "combat-or-military", "crime-victim", "current-abuse-confirmed", "current-abuse-suspected",
    "disaster-or-terrorism", "discrimination", "education-problem", "family-history-intellectual-disability",
    "family-history-mental-illness", "family-history-substance-use", "financial-hardship", "food-insecurity",
    "history-of-abuse", "history-of-adult-abuse", "history-of-childhood-abuse", "homelessness", "housing-instability",
    "human-trafficking", "incarceration", "intimate-partner-violence", "legal-problems", "medication-nonadherence",
    "military-deployment", "military-family-stress", "physical-abuse", "psychological-abuse",
    "psychosocial-stressor-other", "relationship-stress", "sexual-abuse", "social-isolation", "transport-insecurity",
    "traumatic-experience", "unemployment", "utilities-insecurity"}
SUICIDE = {"history-of-nonsuicidal-self-harm", "history-of-suicidal-behavior", "history-of-suicide-attempt-or-self-harm",
           "homicidal-ideation", "nonsuicidal-self-harm-current", "suicidal-ideation", "suicidal-thoughts-or-behavior",
           "suicide-attempt", "suicide-attempt-sequela", "suicide-risk-elevated"}
MENTAL = {
    "acute-stress-disorder", "adhd", "adjustment-disorder", "agoraphobia", "autism-spectrum", "delirium", "dementia",
    "cyclothymia", "gambling-disorder", "insomnia", "intellectual-disability", "mental-disorder", "nightmare-disorder",
    "perinatal-depression", "postpartum-psychosis", "specific-phobia"}
MENTAL_WORDS = ("anxiety", "bipolar", "depress", "mdd-", "schizo", "personality", "ptsd", "panic", "eating-disorder",
                "dissociative", "obsessive", "somatic")
DIAGNOSIS_FILES = {
    "pregnancy": lambda name: name in PREGNANCY,
    "suicide": lambda name: name in SUICIDE,
    "social": lambda name: name in SOCIAL,
    "opioids": lambda name: "than-opioid" not in name and ("opioid" in name or "opiate" in name) or name in ("adulterant-exposure", "drug-overdose-unspecified"),
    "substances": lambda name: "-use-" in name or any(w in name for w in ("alcohol", "withdrawal", "substance", "stimulant-use")),
    "mental-health": lambda name: name in MENTAL or name != "respiratory-depression-risk-other" and any(w in name for w in MENTAL_WORDS),
    "medical": lambda name: True,
}
